/// A customer's rates at rest, hour by hour. 26 bytes.
struct Hours {
    /// An hour counts when as many of its minutes are known.
    private static let needed: Int32 = 20
    static let kept = 6

    /// The hour that is under way, since 1970.
    private(set) var hour: Int32 = 0
    /// Of its minutes at rest: the sum of their rates in eighths of a bpm, how many they are, the lowest.
    private var sum: Int32 = 0
    private var minutes: Int32 = 0
    private var lowest = Int16.max
    /// The lowest rates of the last hours, the latest first, in eighths of a bpm; 0 where it is not known.
    private var lows = InlineArray<6, Int16>(repeating: 0)

    /// What an hour was like that is over.
    struct Hour {
        let number: Int32
        /// In eighths of a bpm.
        let mean: EighthsOfBPM
        let low: EighthsOfBPM
    }

    /// Ends the hour that is under way when another one has begun; nil when there is nothing to say of it.
    mutating func pass(to at: Int64) -> Hour? {
        let now = Int32(clamping: at >= 0 ? at / 3_600_000_000 : (at - 3_599_999_999) / 3_600_000_000)
        guard now != hour else { return nil }
        let isKnown = minutes >= Self.needed
        let ended = isKnown ? Hour(number: hour, mean: sum / minutes, low: EighthsOfBPM(lowest)) : nil
        let passed = Int(now) - Int(hour)
        for _ in 0..<min(max(passed, 1), Self.kept) { shift() }
        if let ended, passed > 0, passed <= Self.kept { lows[passed - 1] = Int16(truncatingIfNeeded: ended.low) }
        (hour, sum, minutes, lowest) = (now, 0, 0, .max)
        return ended
    }

    /// Takes a rate at rest that stands for some minutes.
    mutating func take(_ rate: EighthsOfBPM, minutes more: Int32) {
        sum += rate * more
        minutes += more
        lowest = min(lowest, Int16(truncatingIfNeeded: rate))
    }

    private mutating func shift() {
        var index = Self.kept - 1
        while index > 0 {
            lows[index] = lows[index - 1]
            index -= 1
        }
        lows[0] = 0
    }

    /// By how much the last two hours are above the calmest of those before, in eighths of a bpm; 0 when that is not known.
    var rise: EighthsOfBPM {
        guard lows[0] > 0, lows[1] > 0 else { return 0 }
        var calmest = Int16.max
        for index in 2..<Self.kept where lows[index] > 0 { calmest = min(calmest, lows[index]) }
        guard calmest < .max else { return 0 }
        // The hour before may be on its way.
        return min(EighthsOfBPM(lows[0] - calmest), EighthsOfBPM(lows[1] - calmest) * 3 / 2)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&hour, after: 0)
        coder.code(&sum, after: 0)
        coder.code(&minutes, in: 0...10_000)
        coder.code(&lowest, after: 0)
        for index in 0..<Self.kept { coder.code(&lows[index], after: 0) }
    }
}
