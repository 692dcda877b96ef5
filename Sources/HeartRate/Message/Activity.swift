import Bytes

/// What a customer is doing, as a sensor may tell it in the message's optional field `activity`.
///
/// The raw values are stored: they stay as they are.
public enum Activity: UInt8, CaseIterable, Hashable, Sendable {
    /// Sleeping.
    case sleep = 0
    /// Sitting or standing.
    case rest
    /// Walking.
    case walk
    /// Running, cycling and the like.
    case exercise

    /// The word for it in a message: `sleep`, `rest`, `walk` or `exercise`.
    public var name: String {
        switch self {
        case .sleep: "sleep"
        case .rest: "rest"
        case .walk: "walk"
        case .exercise: "exercise"
        }
    }

    /// The number that stands for it in the column `activity` of `heart_rate_readings`.
    public var code: Int16 { Int16(rawValue) }

    /// The activity of such a number; nil for any other.
    public init?(code: Int16) {
        guard let value = UInt8(exactly: code) else { return nil }
        self.init(rawValue: value)
    }

    /// The activity that a message calls so; nil for any other word.
    public init?(name: Span<UInt8>) {
        if name.equals("rest") {
            self = .rest
        } else if name.equals("walk") {
            self = .walk
        } else if name.equals("sleep") {
            self = .sleep
        } else if name.equals("exercise") {
            self = .exercise
        } else {
            return nil
        }
    }
}
