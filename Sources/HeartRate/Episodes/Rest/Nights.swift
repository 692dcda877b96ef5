/// A customer's resting rate of each night: that of the calmest hour of 24. 35 bytes.
///
/// It needs no time zone: wherever in the night 24 hours begin, they hold the time of a whole night. The calmest hour counts
/// when it is at about the same time of day as before; after a journey the nights start again.
struct Nights {
    private static let kept = 7
    /// How many nights have to be known before one is compared with them.
    static let needed = 3
    private static let length: Int32 = 24
    /// How many of its hours have to be known: those of a sensor that is worn in the night only.
    private static let neededHours: UInt8 = 4
    /// The hours of the day within which nights are comparable.
    private static let sameTime: Int32 = 4
    /// How many hours a night has.
    private static let longest: Int32 = 8
    /// After as many at another time of day the nights start again.
    private static let mostStrangers: UInt8 = 3

    /// Hours since 1970: when the 24 began, the calmest hour so far, and the last night's.
    private var began: Int32 = 0
    private var calmestAt: Int32 = 0
    private var lastAt: Int32 = 0
    /// In eighths of a bpm, in a ring.
    private var rates = InlineArray<7, Int16>(repeating: 0)
    /// The calmest hour of those so far, in eighths of a bpm.
    private var calmest: Int16 = 0
    /// In eighths of a bpm.
    private(set) var lastRate: Int16 = 0
    private var next: UInt8 = 0
    private(set) var count: UInt8 = 0
    /// How many in a row came at another time of day.
    private var strangers: UInt8 = 0
    /// How many hours are known of the 24 that are under way.
    private var heard: UInt8 = 0
    /// Nights in a row that were above the usual ones.
    private(set) var above: UInt8 = 0

    /// The median of the nights, in eighths of a bpm; nil before `least` are known.
    func usual(least: Int = Nights.needed) -> EighthsOfBPM? {
        guard Int(count) >= least else { return nil }
        var sorted = rates
        for index in 1..<max(Int(count), 1) {
            var place = index
            while place > 0, sorted[place - 1] > sorted[place] {
                sorted.swapAt(place - 1, place)
                place -= 1
            }
        }
        return EighthsOfBPM(sorted[Int(count) / 2])
    }

    /// Whether an hour is near the time of day of the nights, of which the calmest may be the first or the last.
    func isNight(_ hour: Int32) -> Bool { count > 0 && Self.distance(hour, lastAt) <= Self.longest }

    /// Takes an hour's mean rate at rest. Returns whether a night is decided.
    mutating func take(_ rate: EighthsOfBPM, hour: Int32, rise: EighthsOfBPM) -> Bool {
        var isDecided = false
        // It is earlier when a clock was set back.
        if heard == 0 || hour < began || hour - began >= Self.length {
            isDecided = heard >= Self.neededHours && hour > began && decide(rise: rise)
            (began, heard) = (hour, 0)
        }
        if heard == 0 || rate < EighthsOfBPM(calmest) {
            (calmest, calmestAt) = (Int16(truncatingIfNeeded: rate), hour)
        }
        heard = min(heard + 1, UInt8(Self.length))
        return isDecided
    }

    private mutating func decide(rise: EighthsOfBPM) -> Bool {
        if count > 0, Self.distance(calmestAt, lastAt) > Self.sameTime {
            strangers += 1
            if strangers >= Self.mostStrangers { (count, next, above, strangers) = (0, 0, 0, 0) }
            return false
        }
        strangers = 0
        (lastAt, lastRate) = (calmestAt, calmest)
        let isAbove = usual().map { EighthsOfBPM(calmest) >= $0 + rise } ?? false
        above = isAbove ? min(above + 1, 100) : 0
        // What goes on for more than a week is usual.
        guard !isAbove || above > 7 else { return true }
        rates[Int(next)] = calmest
        next = (next + 1) % UInt8(Self.kept)
        count = min(count + 1, UInt8(Self.kept))
        return true
    }

    /// The hours between two times of day.
    private static func distance(_ one: Int32, _ other: Int32) -> Int32 {
        let hours = ((one - other) % 24 + 24) % 24
        return min(hours, 24 - hours)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&count, in: 0...UInt8(Self.kept))
        coder.code(&next, in: 0...UInt8(Self.kept - 1))
        for index in 0..<Self.kept { coder.code(&rates[index], after: 0) }
        coder.code(&strangers, after: 0)
        coder.code(&heard, in: 0...UInt8(Self.length))
        coder.code(&above, after: 0)
        coder.code(&calmest, after: 0)
        coder.code(&began, after: 0)
        coder.code(&calmestAt, after: began)
        coder.code(&lastAt, after: began)
        coder.code(&lastRate, after: 0)
    }
}
