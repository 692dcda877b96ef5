/// The last readings of some seconds, of which the robust rate is made. At most 32; 132 bytes.
struct RateWindow {
    static let capacity = 32
    /// Nothing older is kept, so that 16 bits of milliseconds are enough to tell ages.
    static let longest: Int64 = 60_000
    /// So many readings are kept, older than the window or not.
    static let fewest = 3

    /// A ring; `count` are used, beginning with `first`. Times are in milliseconds, modulo 65,536.
    private var rates = InlineArray<32, Int16>(repeating: 0)
    private var times = InlineArray<32, UInt16>(repeating: 0)
    private var first: UInt8 = 0
    private(set) var count: UInt8 = 0

    /// The reading `index` after the oldest.
    subscript(index: Int) -> (rate: Int16, time: UInt16) {
        let slot = (Int(first) + index) & (Self.capacity - 1)
        return (rates[slot], times[slot])
    }

    /// Adds a reading that is `gap` ms after the one before it.
    @inline(__always)
    mutating func append(_ rate: Int16, milliseconds: Int64, gap: Int64, window: Int64) {
        if gap > Self.longest { count = 0 }
        if count == Self.capacity { dropFirst() }
        if count > 0 {
            let newest = self[Int(count) - 1].time
            while count > 0 {
                let age = Int64(newest &- times[Int(first)]) + gap
                guard age > (count < Self.fewest ? Self.longest : window) else { break }
                dropFirst()
            }
        }
        let slot = (Int(first) + Int(count)) & (Self.capacity - 1)
        rates[slot] = rate
        times[slot] = UInt16(truncatingIfNeeded: milliseconds)
        count += 1
    }

    @inline(__always)
    private mutating func dropFirst() {
        first = (first + 1) & UInt8(Self.capacity - 1)
        count -= 1
    }

    mutating func removeAll() {
        first = 0
        count = 0
    }

    /// The median of the rates, in eighths of a bpm; 0 of no readings.
    var median: Eighths {
        guard count > 0 else { return 0 }
        var sorted = InlineArray<32, Int16>(repeating: 0)
        for index in 0..<Int(count) {
            let rate = self[index].rate
            var place = index
            while place > 0, sorted[place - 1] > rate {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = rate
        }
        let middle = Int(count) / 2
        return (Eighths(sorted[(Int(count) - 1) / 2]) + Eighths(sorted[middle])) * 4
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
        var (rate, time): (Int16, UInt16) = (0, 0)
        for index in 0..<Int(used) {
            var (nextRate, nextTime) = coder.isReading ? (0, 0) : self[index]
            coder.code(&nextRate, after: rate)
            coder.code(&nextTime, after: time)
            if coder.isReading {
                rates[index] = nextRate
                times[index] = nextTime
            }
            (rate, time) = (nextRate, nextTime)
        }
    }
}
