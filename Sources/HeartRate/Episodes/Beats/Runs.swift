/// Readings in a row that are beyond a limit, each of them. 16 bytes.
struct Run {
    /// When the first began, in microseconds since 1970; a beat begins with the one before it.
    private(set) var since: Int64 = 0
    private(set) var total: UInt32 = 0
    /// The rates of the run, in bpm.
    private(set) var lowest: Int16 = 0
    private(set) var highest: Int16 = 0

    /// Takes one more.
    mutating func take(_ rate: Int16, from: Int64) {
        if total == 0 {
            since = from
            (lowest, highest) = (rate, rate)
        }
        if total < .max { total += 1 }
        lowest = min(lowest, rate)
        highest = max(highest, rate)
    }

    @inline(__always)
    mutating func reset() { total = 0 }

    /// How many readings there are, at most 255.
    @inline(__always)
    var count: UInt8 { UInt8(clamping: total) }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&total, after: 0)
        guard total > 0 else { return }
        coder.codeTime(&since)
        coder.code(&lowest, after: 0)
        coder.code(&highest, after: lowest)
    }
}

/// What single beats tell before their median does: runs, which PhysioNet's challenge of 2015 counts so, and pauses. 61 bytes.
struct BeatRuns {
    /// Below the minimum, above the maximum, and above `EpisodeRules.runRate`.
    private(set) var slow = Run()
    private(set) var fast = Run()
    private(set) var quick = Run()
    /// When beats were missed the last time.
    var missedAt = noTime
    /// The interval between two beats when none was missed, in milliseconds; 0 when it is not known.
    var usual: UInt16 = 0
    /// Whether readings are beats.
    var areBeats = false
    /// Whether the last quick beat was not above it.
    private var isBroken = false
    /// How many fast readings there were since one that was not.
    private var sinceBreak: UInt8 = 0

    /// Its rate, in eighths of a bpm.
    var usualRate: EighthsOfBPM { 480_000 / max(EighthsOfBPM(usual), 1) }

    @inline(__always)
    var isIdle: Bool { slow.total | fast.total | quick.total == 0 }

    mutating func reset() {
        sinceBreak = 0
        slow.reset()
        fast.reset()
        quick.reset()
    }

    /// A reading that is beyond some limit.
    struct Excess {
        let rate: Int16
        let at: Int64
        let gap: Microseconds
        let isBeat: Bool

        /// When it began: a beat begins with the one before it.
        var from: Int64 { isBeat ? at - gap.count : at }
    }

    mutating func take(_ reading: Excess, limits: ClosedRange<Int16>, _ rules: EpisodeRules) {
        if reading.gap > rules.jumpTime { reset() }
        takeFast(reading, limit: limits.upperBound)
        takeQuick(reading, rules)
        if reading.isBeat, reading.rate < limits.lowerBound {
            slow.take(reading.rate, from: reading.from)
        } else {
            slow.reset()
        }
    }

    /// One of five may be a little slower.
    private mutating func takeFast(_ reading: Excess, limit: Int16) {
        guard reading.rate <= limit else {
            if sinceBreak < .max { sinceBreak += 1 }
            return fast.take(reading.rate, from: reading.from)
        }
        if sinceBreak < 5 || reading.rate * 10 < limit * 9 { fast.reset() }
        sinceBreak = 0
    }

    /// A single beat may be slower: the heart is irregular.
    private mutating func takeQuick(_ reading: Excess, _ rules: EpisodeRules) {
        let isQuick = reading.isBeat && reading.rate > rules.runRate
        let isNear = reading.isBeat && reading.rate * 4 > rules.runRate * 3
        guard isQuick || isNear && !isBroken && quick.count > 0 else { return quick.reset() }
        isBroken = !isQuick
        quick.take(reading.rate, from: reading.from)
    }

    /// The mean rate of the quick beats until a time, in eighths of a bpm.
    func quickMean(until at: Int64) -> EighthsOfBPM {
        EighthsOfBPM(clamping: Int64(quick.total) * 480_000_000 / max(at - quick.since, 1))
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&areBeats)
        coder.code(&isBroken)
        coder.code(&sinceBreak, after: 0)
        coder.codeOptionalTime(&missedAt, none: noTime)
        slow.code(&coder)
        fast.code(&coder)
        quick.code(&coder)
        coder.code(&usual, after: 0)
    }
}
