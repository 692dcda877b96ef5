/// A small, fast and seeded source of random numbers: the same seed and stream always give the same numbers.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: a counter in steps of the
/// golden ratio, scrambled by the finalizer that is known as Stafford's variant 13. Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var counter: UInt64

    /// The numbers of one stream, such as one customer's. Streams of one seed start at unrelated places of the
    /// sequence, and none depends on how many others there are.
    public init(seed: UInt64, stream: UInt64 = 0) {
        // Twice, so that neither neighbouring seeds nor neighbouring streams are related.
        counter = Self.scrambled(Self.scrambled(seed &+ Self.step) &+ Self.scrambled(stream))
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        counter &+= Self.step
        return Self.scrambled(counter)
    }

    /// A number in 0..<1, a multiple of 2^-53.
    mutating func nextUnit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in `range`, uniformly distributed.
    mutating func next<Number: BinaryFloatingPoint>(in range: ClosedRange<Number>) -> Number {
        range.lowerBound + Number(nextUnit()) * (range.upperBound - range.lowerBound)
    }

    /// A number of mean 0 and variance 1 that is nearly normal, within ±3.5: the sum of four uniform ones
    /// (Irwin and Hall), each of 16 bits and with the variance 1/12.
    mutating func nextNormal() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (Float(sum) / 0x1p16 - 2) * 1.732_050_8
    }

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static func scrambled(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
