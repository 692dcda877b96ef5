/// A customer's usual step between two readings: the median of the last steps, and the slower rates that the device has, too.
///
/// A dropout hardly moves the median, and after a change it is right again within half of the steps that are kept. A
/// device that changes its rate has more than one step: a size is known when some steps in a row had it, for a day or two,
/// or when it is frequent among the last hundreds, as in bursts. 106 bytes.
struct UsualPeriod {
    /// How many steps have to be known.
    static let needed = 8
    /// How long they have to last, in milliseconds: the first burst of some says nothing.
    private static let neededTime: UInt16 = 15_000
    private static let capacity = 9
    /// Sizes are powers of two, in milliseconds.
    private static let sizes = 24
    /// As many steps in a row are a rate and no dropouts.
    private static let rowOfRate = 4
    /// A size is frequent when two and at least one in this number of steps have it or are longer.
    private static let shareOfFrequent = 100
    /// After this number of steps older ones count half.
    private static let remembered: UInt16 = 512
    private static let day: Int64 = 86_400_000_000

    /// When this day began, in microseconds since 1970.
    private var dayBegan = Int64.min
    /// The sizes of rates, a bit each: of this day and of the one before.
    private var rates: UInt32 = 0
    private var formerRates: UInt32 = 0
    /// In milliseconds, in a ring.
    private var steps = InlineArray<9, UInt32>(repeating: 0)
    /// How many of the last steps had each size.
    private var counts = InlineArray<24, UInt16>(repeating: 0)
    private var total: UInt16 = 0
    /// How long all steps together have lasted, in milliseconds, at most `neededTime`.
    private var lasted: UInt16 = 0
    private var next: UInt8 = 0
    private var count: UInt8 = 0

    /// Takes a step that ends at a time.
    @inline(__always)
    mutating func append(_ milliseconds: Int64, at: Int64) {
        steps[Int(next)] = UInt32(clamping: milliseconds)
        next = next + 1 == Self.capacity ? 0 : next + 1
        if count < Self.capacity { count += 1 }
        if lasted < Self.neededTime {
            lasted = UInt16(min(Int64(lasted) + max(milliseconds, 0), Int64(Self.neededTime)))
        }
        let size = Self.size(milliseconds)
        counts[size] += 1
        total += 1
        if total == Self.remembered { forget() }
        if rates & (1 << UInt32(size)) == 0 || dayBegan == .min || at - dayBegan >= Self.day { noteRate(at) }
    }

    private mutating func forget() {
        total = 0
        for size in 0..<Self.sizes {
            counts[size] /= 2
            total += counts[size]
        }
    }

    private mutating func noteRate(_ at: Int64) {
        if dayBegan == .min || at - dayBegan >= Self.day {
            formerRates = dayBegan == .min || at - dayBegan >= Self.day * 2 ? 0 : rates
            (rates, dayBegan) = (0, at)
        }
        guard count >= Self.rowOfRate else { return }
        var shortest = Self.sizes
        for back in 1...Self.rowOfRate {
            shortest = min(shortest, Self.size(Int64(steps[(Int(next) + Self.capacity - back) % Self.capacity])))
        }
        rates |= 1 << UInt32(shortest)
    }

    private static func size(_ milliseconds: Int64) -> Int {
        min(63 - max(milliseconds, 1).leadingZeroBitCount, sizes - 1)
    }

    /// Forgets when the day began, for a clock that was set back.
    mutating func restart() { dayBegan = .min }

    /// In milliseconds; nil before the first step.
    var median: Int64? {
        guard count > 0 else { return nil }
        var sorted = steps
        for index in 1..<max(Int(count), 1) {
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

    private var isKnown: Bool { count >= Self.needed && lasted >= Self.neededTime }

    /// In milliseconds; nil as long as it is not known.
    var milliseconds: Int64? { isKnown ? median : nil }

    /// How long without a reading is a signal loss; nil before the first step.
    ///
    /// - Parameter isStrict: by the step that is usual now only, whatever other rates the device has.
    func silenceLimit(_ rules: EpisodeRules, isStrict: Bool) -> Microseconds? {
        guard let median else { return nil }
        guard isKnown else {
            var longest: UInt32 = 0
            for index in 0..<Int(count) { longest = max(longest, steps[index]) }
            return max(rules.silenceUnknown, .milliseconds(Int64(longest)) * rules.silencePeriods)
        }
        let limit = max(rules.silenceMinimum, .milliseconds(median) * rules.silencePeriods)
        if isStrict { return limit }
        let sparse = .milliseconds(median) >= rules.sparsePeriod ? max(limit, rules.silenceSparse) : limit
        let slowest = slowestSize
        // Two sizes apart: the limit of the one is no longer enough for the other.
        guard slowest > Self.size(median) + 1 else { return sparse }
        return max(sparse, .milliseconds(1 << Int64(slowest)) * rules.silencePeriods)
    }

    /// The largest size that is frequent or a rate.
    private var slowestSize: Int {
        let slowestRate = 31 - (rates | formerRates | 1).leadingZeroBitCount
        var (longer, size) = (0, Self.sizes - 1)
        while size > slowestRate {
            longer += Int(counts[size])
            if longer >= 2, longer * Self.shareOfFrequent >= Int(total) { break }
            size -= 1
        }
        return size
    }
}

extension UsualPeriod {
    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&count, in: 0...UInt8(Self.capacity))
        coder.code(&next, in: 0...UInt8(Self.capacity - 1))
        coder.code(&lasted, in: 0...Self.neededTime)
        var previous: UInt32 = 0
        for index in 0..<Int(count) {
            coder.code(&steps[index], after: previous)
            previous = steps[index]
        }
        coder.codeOptionalTime(&dayBegan, none: .min)
        coder.code(&rates, after: 0)
        coder.code(&formerRates, after: rates)
        codeCounts(&coder)
    }

    /// Only a few sizes are ever used.
    private mutating func codeCounts(_ coder: inout CheckpointCoder) {
        var used: UInt32 = 0
        for size in 0..<Self.sizes where counts[size] > 0 { used |= 1 << UInt32(size) }
        coder.code(&used, after: 0)
        total = 0
        for size in 0..<Self.sizes where used & (1 << UInt32(size)) != 0 {
            coder.code(&counts[size], in: 0...Self.remembered)
            total += counts[size]
        }
        if total >= Self.remembered { forget() }
    }
}
