/// The last readings of some seconds, from which the robust rates are made. At most 32; 132 bytes.
///
/// Each reading counts for the time since the one before it. A beat's rate is that of the interval that it ends, so that
/// this is the time which the heart has spent at that rate: of 38 and 110 bpm in turns three quarters of the time are
/// slow. Readings further apart than `longestWeight` count the same, and the rates are plain quantiles.
struct RateWindow {
    static let capacity = 32
    /// Nothing older is kept, so that 16 bits of milliseconds are enough for ages.
    static let longest: Int64 = 60_000
    /// The number of readings that are kept even when they are older than the window.
    static let fewest = 3
    /// Of fewer, a quartile would be one reading, and that could be an artefact.
    static let fewestForQuartile = 5
    /// The time of a beat at 30 bpm, in milliseconds. A longer one is rather a beat that was missed.
    static let longestWeight: Int32 = 2000

    /// Devices that tell a rate do it each second, or each half of one, in milliseconds, and so much earlier or later.
    private static let commonStep: Int32 = 500
    private static let stepJitter: Int32 = 100

    /// A ring; `count` are used, beginning with `first`. Times are in milliseconds, modulo 65,536.
    private var rates = InlineArray<32, Int16>(repeating: 0)
    private var times = InlineArray<32, UInt16>(repeating: 0)
    /// Of the reading before the oldest.
    private var before: UInt16 = 0
    private var first: UInt8 = 0
    private(set) var count: UInt8 = 0

    /// The reading `index` after the oldest.
    @inline(__always)
    private subscript(index: Int) -> (rate: Int16, time: UInt16) {
        let slot = (Int(first) + index) & (Self.capacity - 1)
        return (rates[slot], times[slot])
    }

    /// In bpm, of the reading `index` after the oldest.
    func rate(_ index: Int) -> Int16 { self[index].rate }

    /// Adds a reading that is `gap` ms after the one before it.
    @inline(__always)
    mutating func append(_ rate: Int16, milliseconds: Int64, gap: Int64, window: Int64) {
        let time = UInt16(truncatingIfNeeded: milliseconds)
        if gap > Self.longest { removeAll() }
        if count == Self.capacity { dropFirst() }
        if count > 0 {
            let newest = self[Int(count) - 1].time
            while count > 0 {
                let age = Int64(newest &- times[Int(first)]) + gap
                guard age > (count < Self.fewest ? Self.longest : window) else { break }
                dropFirst()
            }
        } else {
            // Nothing is known of the time before the first reading.
            before = time &- 1000
        }
        let slot = (Int(first) + Int(count)) & (Self.capacity - 1)
        rates[slot] = rate
        times[slot] = time
        count += 1
    }

    @inline(__always)
    private mutating func dropFirst() {
        before = times[Int(first)]
        first = (first + 1) & UInt8(Self.capacity - 1)
        count -= 1
    }

    mutating func removeAll() {
        first = 0
        count = 0
    }

    /// Whether the lower quartile could be beyond the limit of `slow` or the median beyond that of `fast`: a quick look that
    /// spares most readings the sorting, since single ones beyond a limit are common.
    func mayBeBeyond(slow: EighthsOfBPM, fast: EighthsOfBPM) -> Bool {
        var (total, tooSlow, tooFast): (Int32, Int32, Int32) = (0, 0, 0)
        var previous = before
        for index in 0..<Int(count) {
            let (rate, time) = self[index]
            let weight = Self.weight(time, after: previous)
            previous = time
            total += weight
            if EighthsOfBPM(rate) * -8 > slow { tooSlow += weight }
            if EighthsOfBPM(rate) * 8 > fast { tooFast += weight }
        }
        return tooSlow * 4 >= total || tooFast * 2 >= total
    }

    /// Whether each reading is near one or the other of two rates, and some are near each.
    func isInTurns(_ one: Int16, _ other: Int16, within bpm: Int16) -> Bool {
        var (ones, others) = (0, 0)
        for index in 0..<Int(count) {
            if abs(rate(index) - one) <= bpm {
                ones += 1
            } else if abs(rate(index) - other) <= bpm {
                others += 1
            } else {
                return false
            }
        }
        return ones > 0 && others > 0
    }

    /// Even of two at the same millisecond the second counts.
    @inline(__always)
    private static func weight(_ time: UInt16, after previous: UInt16) -> Int32 {
        min(Int32(time &- previous) + 1, longestWeight)
    }

    /// The rates of what is kept; there has to be a reading. `jump` bpm between neighbours are irregular.
    ///
    /// - Parameters:
    ///   - usual: the interval between beats when none was missed, in milliseconds; 0 when it is not known.
    ///   - wereBeats: whether readings were beats until now.
    func robustRates(jump: Int16, usual: inout UInt16, wereBeats: Bool) -> RobustRates {
        // Sorted by rate; a rate and its weight in one number.
        var sorted = InlineArray<32, Int32>(repeating: 0)
        var (total, product, jumps, wild, beats): (Int32, Int32, Int, Int, Int) = (0, 0, 0, 0, 0)
        var previous = (rate: self[0].rate, time: before)
        for index in 0..<Int(count) {
            let (rate, time) = self[index]
            let weight = Self.weight(time, after: previous.time)
            if abs(rate - previous.rate) >= jump { jumps += 1 }
            if rate > previous.rate * 2 || previous.rate > rate * 2 { wild += 1 }
            if BeatIntervals.isBeat(rate, after: Int64(time &- previous.time)) { beats += 1 }
            total += weight
            product += Int32(rate) * weight
            previous = (rate, time)
            let entry = Int32(rate) << 16 | weight
            var place = index
            while place > 0, sorted[place - 1] > entry {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = entry
        }
        let median = Self.quantile(of: sorted, count: Int(count), share: total * 2)
        let quartile =
            count < Self.fewestForQuartile ? median : Self.quantile(of: sorted, count: Int(count), share: total)
        let isRegular = jumps * 3 <= Int(count) - 1
        // Each is as long as its rate says, so that none was rejected between them, and none is twice as fast as the next.
        let isPlausible = (wild + Int(count) - beats) * 10 <= Int(count)
        var sustained = isRegular ? median : isPlausible ? product * 8 / total : quartile
        // Of few readings the fast ones have to agree: artefacts do not.
        if count < Self.fewestForQuartile, !Self.agree(sorted, count: Int(count), within: jump / 2) {
            sustained = (sorted[0] >> 16) * 8
        }
        // At most one does not fit: the first after a gap.
        let fits = beats + 1 >= Int(count) && count >= Self.fewestForQuartile
        var rates = RobustRates(
            median: median, lowerQuartile: quartile, sustained: sustained, medianOfBeats: median,
            isOfBeats: fits && (wereBeats || !isOfSteps), misses: false)
        // When many are missed there are few.
        if rates.isOfBeats || usual > 0 && beats == Int(count) && count >= Self.fewest {
            findMisses(sorted, &rates, usual: &usual)
        }
        return rates
    }

    /// Whether the readings may be those of a device that tells a rate each second, or each half of one, and not beats
    /// although each rate fits the time before it, as 60 bpm does each second. The intervals of beats follow their rates.
    private var isOfSteps: Bool {
        let steps = Int32(count) - 1
        let mean = Int32(self[Int(steps)].time &- self[0].time) / max(steps, 1)
        var (common, fromMean, fromRate) = (Int32(0), Int32(0), Int32(0))
        for index in 1..<Int(count) {
            let interval = Int32(self[index].time &- self[index - 1].time)
            let rest = interval % Self.commonStep
            if interval > Self.stepJitter, min(rest, Self.commonStep - rest) <= Self.stepJitter { common += 1 }
            fromMean += abs(interval - mean)
            fromRate += abs(interval - 60_000 / Int32(max(self[index].rate, 1)))
        }
        return common * 5 >= steps * 4 && fromRate * 2 >= fromMean
    }

    /// Whether the upper half of the rates is within some bpm.
    private static func agree(_ sorted: InlineArray<32, Int32>, count: Int, within bpm: Int16) -> Bool {
        (sorted[count - 1] >> 16) - (sorted[count / 2] >> 16) <= Int32(bpm)
    }

    /// Looks for beats that were missed.
    private func findMisses(_ sorted: InlineArray<32, Int32>, _ rates: inout RobustRates, usual: inout UInt16) {
        let intervals = BeatIntervals(sorted, count: Int(count), usual: usual)
        usual = intervals.usual
        guard intervals.hasMisses else { return }
        rates.misses = intervals.isCertain
        rates.medianOfBeats = intervals.median
        if intervals.isCertain { rates.lowerQuartile = intervals.median }
    }

    /// The rate below which `share` quarters of a time lie; where it lies between two rates, their mean.
    private static func quantile(of sorted: InlineArray<32, Int32>, count: Int, share: Int32) -> EighthsOfBPM {
        var time: Int32 = 0
        for index in 0..<count {
            time += (sorted[index] & 0xFFFF) * 4
            guard time >= share else { continue }
            let rate = EighthsOfBPM(sorted[index] >> 16)
            guard time == share, index + 1 < count else { return rate * 8 }
            return (rate + EighthsOfBPM(sorted[index + 1] >> 16)) * 4
        }
        return 0
    }
}

extension RateWindow {
    mutating func code(_ coder: inout CheckpointCoder) {
        var used = count
        coder.code(&used, in: 0...UInt8(Self.capacity))
        if coder.isReading {
            first = 0
            count = used
        }
        coder.code(&before, after: 0)
        var (rate, time, step) = (Int16(0), before, UInt16(0))
        for index in 0..<Int(used) {
            var (nextRate, nextTime) = coder.isReading ? (0, 0) : self[index]
            coder.code(&nextRate, after: rate)
            // Of steady readings the difference is 0.
            coder.codeWrapping(&nextTime, after: time &+ step)
            if coder.isReading {
                rates[index] = nextRate
                times[index] = nextTime
            }
            (rate, time, step) = (nextRate, nextTime, nextTime &- time)
        }
    }
}
