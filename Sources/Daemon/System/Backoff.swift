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

    /// The defaults are those of the design: 100 ms to 30 s.
    public init(from shortest: Duration = .milliseconds(100), to longest: Duration = .seconds(30)) {
        precondition(.zero < shortest && shortest <= longest, "a back-off needs 0 < shortest <= longest")
        self.shortest = shortest
        self.longest = longest
    }

    /// The most that the next wait can be.
    public var ceiling: Duration {
        // 2^40 times any useful shortest wait is over any useful longest one, and nothing overflows.
        min(longest, shortest * (1 << min(attempts, 40)))
    }

    /// Draws the next wait, from zero to `ceiling`.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Draws the next wait with a generator, which a test can repeat.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let wait = ceiling * Double.random(in: 0...1, using: &generator)
        attempts += 1
        return min(wait, longest)
    }

    /// Starts again at `shortest`; call it after a success.
    public mutating func reset() {
        attempts = 0
    }
}
