/// A date of the Gregorian calendar (also before 1582), years 1 to 9999.
struct CivilDate {
    var year: Int
    var month: Int
    var day: Int

    /// 0001-01-01 and 9999-12-31 in days since 1970-01-01.
    static let firstDay = -719_162
    static let lastDay = 2_932_896

    /// Nil when there is no such day: 2023-02-29, 2024-04-31, month 13, year 0.
    init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
        guard day >= 1, day <= Self.days(inMonth: month, leap: Self.isLeap(year)) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// `days` must be within `firstDay...lastDay`.
    init(daysSince1970 days: Int) {
        // Days since 0001-01-01 are cut into the calendar's cycles: 400, 100, 4 and 1 years. The last day of 400 and
        // of 4 years would begin a fifth part, hence the two minima.
        var rest = days - Self.firstDay
        let cycles400 = rest / 146_097
        rest %= 146_097
        let cycles100 = min(rest / 36_524, 3)
        rest -= cycles100 * 36_524
        let cycles4 = rest / 1461
        rest %= 1461
        let years = min(rest / 365, 3)
        rest -= years * 365
        year = cycles400 * 400 + cycles100 * 100 + cycles4 * 4 + years + 1
        let leap = Self.isLeap(year)
        // A twelfth of a year is between 28 and 31 days, so this is the month or the one before it.
        month = rest / 32 + 1
        if month < 12, rest >= Self.days(beforeMonth: month + 1, leap: leap) { month += 1 }
        day = rest - Self.days(beforeMonth: month, leap: leap) + 1
    }

    var daysSince1970: Int {
        let past = year - 1
        return Self.firstDay + past * 365 + past / 4 - past / 100 + past / 400
            + Self.days(beforeMonth: month, leap: Self.isLeap(year)) + day - 1
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func days(inMonth month: Int, leap: Bool) -> Int {
        switch month {
        case 2: leap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// 0, 31, 59, 90, ...: as if February had 30 days (367 / 12 on average), then corrected
    /// (Reingold and Dershowitz, Calendrical Calculations, section 2.2).
    private static func days(beforeMonth month: Int, leap: Bool) -> Int {
        let february30 = (367 * month - 362) / 12
        return month <= 2 ? february30 : february30 - (leap ? 1 : 2)
    }
}
