/// How long to wait before the next attempt: exponential with full jitter.
///
/// The ceiling doubles from `shortest` up to `longest`, and each wait is drawn evenly from zero to the ceiling, so that
/// many clients of one server that comes back do not all return at once ("Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015).
public struct Backoff: Sendable {
    /// The first ceiling.
    public let shortest: Duration
    /// The last ceiling.
    public let longest: Duration
    /// How many waits were drawn since the last reset.
    public private(set) var attempts = 0
    private var generator: SplitMix64

    /// The defaults are those of the design: 100 ms to 30 s.
    ///
    /// - Parameter seed: makes the sequence repeatable, for tests. The default is a random one.
    public init(
        from shortest: Duration = .milliseconds(100), to longest: Duration = .seconds(30),
        seed: UInt64 = .random(in: 0 ... .max)
    ) {
        precondition(.zero < shortest && shortest <= longest, "a back-off needs 0 < shortest <= longest")
        self.shortest = shortest
        self.longest = longest
        generator = SplitMix64(state: seed)
    }

    /// The most that the next wait can be.
    public var ceiling: Duration {
        // 2^40 times any useful shortest wait is over any useful longest one, and nothing overflows.
        min(longest, shortest * (1 << min(attempts, 40)))
    }

    /// Draws the next wait, from zero to `ceiling`.
    public mutating func next() -> Duration {
        let wait = ceiling * Double.random(in: 0...1, using: &generator)
        attempts += 1
        return min(wait, longest)
    }

    /// Begins again at `shortest`; call it after a success.
    public mutating func reset() {
        attempts = 0
    }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014; the constants are its.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
