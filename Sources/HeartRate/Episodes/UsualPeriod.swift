/// A customer's usual step between two readings: the median of the last steps.
///
/// A dropout hardly moves it, and after a change it is right again within half of the steps that are kept.
struct UsualPeriod {
    /// How many steps have to be known.
    static let needed = 8
    private static let capacity = 9

    /// In milliseconds, in a ring.
    private var steps = InlineArray<9, UInt32>(repeating: 0)
    private var next: UInt8 = 0
    private var count: UInt8 = 0

    @inline(__always)
    mutating func append(_ milliseconds: Int64) {
        steps[Int(next)] = UInt32(clamping: milliseconds)
        next = next + 1 == Self.capacity ? 0 : next + 1
        if count < Self.capacity { count += 1 }
    }

    /// In milliseconds; nil as long as it is not known.
    var milliseconds: Int64? {
        guard count >= Self.needed else { return nil }
        var sorted = steps
        for index in 1..<Int(count) {
            let step = sorted[index]
            var place = index
            while place > 0, sorted[place - 1] > step {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = step
        }
        return Int64(sorted[Int(count) / 2])
    }

    /// How long without a reading is a signal loss; nil as long as the period is not known.
    func silenceLimit(_ rules: EpisodeRules) -> Microseconds? {
        guard let milliseconds else { return nil }
        return max(rules.silenceMinimum, .milliseconds(milliseconds) * rules.silencePeriods)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&count, in: 0...UInt8(Self.capacity))
        coder.code(&next, in: 0...UInt8(Self.capacity - 1))
        var previous: UInt32 = 0
        for index in 0..<Int(count) {
            coder.code(&steps[index], after: previous)
            previous = steps[index]
        }
    }
}
