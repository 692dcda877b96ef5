import Bytes

/// The contract's anomaly flag: a heart rate below `HEART_RATE_MIN` or above `HEART_RATE_MAX`.
public struct AnomalyRule: Hashable, Sendable {
    /// The lowest rate that is no anomaly, in bpm. The default is 40.
    public var minimum: Int16
    /// The highest rate that is no anomaly, in bpm. The default is 180.
    public var maximum: Int16

    /// A rule with these thresholds, in bpm; both belong to what is no anomaly.
    public init(minimum: Int16 = 40, maximum: Int16 = 180) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// What is unusual about a heart rate in bpm; nil when nothing is.
    public func judge(_ bpm: Int16) -> Anomaly? {
        if bpm < minimum { return Anomaly(kind: .bradycardia, bpm: bpm, threshold: minimum) }
        if bpm > maximum { return Anomaly(kind: .tachycardia, bpm: bpm, threshold: maximum) }
        return nil
    }
}

/// A heart rate beyond a threshold, with the reason that is stored beside the reading.
public struct Anomaly: Hashable, Sendable {
    /// On which side of the thresholds the heart rate is.
    public enum Kind: Hashable, Sendable {
        /// Below the lower threshold.
        case bradycardia
        /// Above the upper threshold.
        case tachycardia
    }

    /// On which side of the thresholds the heart rate is.
    public let kind: Kind
    /// The heart rate in bpm.
    public let bpm: Int16
    /// The threshold that it is beyond, in bpm.
    public let threshold: Int16

    /// Lends the UTF-8 of the reason, at most 64 bytes, to `body`: `bradycardia (bpm=34 < threshold=40)`.
    ///
    /// Allocates nothing. Throws what `body` throws.
    public func withReason<Result, Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var writer = ByteWriter(bytes.mutableSpan)
        writer.append(kind == .bradycardia ? "bradycardia (bpm=" : "tachycardia (bpm=")
        writer.append(Int(bpm))
        writer.append(kind == .bradycardia ? " < threshold=" : " > threshold=")
        writer.append(Int(threshold))
        writer.append(.init(ascii: ")"))
        let count = writer.count
        return try body(bytes.span.extracting(first: count))
    }

    /// The reason as a string.
    public var reason: String { withReason { String(bytes: $0) } }
}
