/// What the doctor says of one thing that it has looked at.
public struct Check: Codable, Equatable, Sendable {
    /// How it is.
    public enum Verdict: String, Codable, CaseIterable, Comparable, Sendable {
        /// As it should be.
        case ok
        /// It cannot be known from here, or does not apply; the text says why.
        case skipped
        /// It works, and a person should do something about it.
        case warning
        /// It does not work, or readings may be lost.
        case error

        /// By how bad it is.
        public static func < (one: Verdict, other: Verdict) -> Bool {
            (allCases.firstIndex(of: one) ?? 0) < (allCases.firstIndex(of: other) ?? 0)
        }
    }

    /// Area and thing, as `kafka.topic`; a part of the interface.
    public let name: String
    /// How it is.
    public let verdict: Verdict
    /// What was found, in one line.
    public let text: String
    /// What to do about it: of a warning and of an error.
    public let remedy: String?

    static func ok(_ name: String, _ text: String) -> Check {
        Check(name: name, verdict: .ok, text: text, remedy: nil)
    }

    static func skipped(_ name: String, _ text: String) -> Check {
        Check(name: name, verdict: .skipped, text: text, remedy: nil)
    }

    static func warning(_ name: String, _ text: String, remedy: String) -> Check {
        Check(name: name, verdict: .warning, text: text, remedy: remedy)
    }

    static func error(_ name: String, _ text: String, remedy: String) -> Check {
        Check(name: name, verdict: .error, text: text, remedy: remedy)
    }
}
