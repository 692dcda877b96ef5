/// A customer's resting rate of each night: that of its calmest hour. 40 bytes.
///
/// It needs no time zone: a night's hour is the calmest one in which nothing calmer follows for some hours, and the next
/// night's comes at about the same time of day. After a journey the nights start again.
struct Nights {
    private static let kept = 7
    /// How many nights have to be known before one is compared with them.
    static let needed = 3
    /// Hours that decide which is the calmest, and after which the next night may begin.
    private static let decided: Int32 = 6
    private static let apart: Int32 = 16
    /// The hours of the day within which nights are comparable.
    private static let sameTime: Int32 = 4

    /// In eighths of a bpm, in a ring.
    private var rates = InlineArray<7, Int16>(repeating: 0)
    private var next: UInt8 = 0
    private(set) var count: UInt8 = 0
    /// How many nights in a row came at another time of day.
    private var strangers: UInt8 = 0
    /// How many hours were heard since the candidate's night began.
    private var heard: UInt8 = 0
    /// Nights in a row that were above the usual ones.
    private(set) var above: UInt8 = 0
    /// The calmest hour of the night that is not decided yet; 0 when there is none. In eighths of a bpm.
    private var candidate: Int16 = 0
    /// Hours since 1970.
    private var candidateAt: Int32 = 0
    private var lastAt: Int32 = 0
    /// In eighths of a bpm.
    private(set) var lastRate: Int16 = 0

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

    /// Whether an hour is near the time of day of the nights.
    func isNight(_ hour: Int32) -> Bool { count > 0 && Self.distance(hour, lastAt) <= Self.sameTime }

    /// Takes an hour's mean rate at rest. Returns whether a night is decided.
    mutating func take(_ rate: EighthsOfBPM, hour: Int32, rise: EighthsOfBPM) -> Bool {
        // A clock was set back.
        if hour < max(lastAt, candidateAt) { (lastAt, candidateAt, candidate, heard) = (hour, hour, 0, 0) }
        if candidate > 0, hour - candidateAt >= Self.decided {
            let isHeard = heard >= 4
            let (rate, at) = (candidate, candidateAt)
            (candidate, heard) = (0, 0)
            return isHeard && decide(rate, at: at, rise: rise)
        }
        if candidate == 0, count > 0 || strangers > 0, hour - lastAt < Self.apart { return false }
        if heard < .max { heard += 1 }
        if candidate == 0 || rate < EighthsOfBPM(candidate) {
            (candidate, candidateAt) = (Int16(truncatingIfNeeded: max(rate, 1)), hour)
        }
        return false
    }

    private mutating func decide(_ rate: Int16, at: Int32, rise: EighthsOfBPM) -> Bool {
        if count > 0, Self.distance(at, lastAt) > Self.sameTime {
            strangers += 1
            if strangers >= 3 { (count, next, above, strangers) = (0, 0, 0, 0) }
            // The time of day stays that of the nights until they start again.
            lastAt += (at - lastAt) / 24 * 24
            return false
        }
        strangers = 0
        (lastAt, lastRate) = (at, rate)
        let isAbove = usual().map { EighthsOfBPM(rate) >= $0 + rise } ?? false
        above = isAbove ? min(above + 1, 100) : 0
        // What goes on for more than a week is usual.
        guard !isAbove || above > 7 else { return true }
        rates[Int(next)] = rate
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
        coder.code(&heard, after: 0)
        coder.code(&above, after: 0)
        coder.code(&candidate, after: 0)
        coder.code(&candidateAt, after: 0)
        coder.code(&lastAt, after: 0)
        coder.code(&lastRate, after: 0)
    }
}
