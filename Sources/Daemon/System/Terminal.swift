internal import FoundationEssentials
internal import Glibc

/// The terminal that standard output is, if it is one.
public enum Terminal {
    /// Whether standard output is a terminal that can move its cursor.
    public static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 && canMove }

    /// Whether standard error is one.
    public static var isErrorOutput: Bool { isatty(STDERR_FILENO) == 1 && canMove }

    private static var canMove: Bool {
        ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" } ?? false
    }

    /// Whether output may have colours (https://no-color.org).
    public static var hasColours: Bool {
        isOutput && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }

    /// The colours that mean something; each stands beside a word that says the same.
    public enum Colour: String {
        /// Something is wrong.
        case red = "31"
        /// Somebody should look.
        case yellow = "33"
        /// As it should be.
        case green = "32"
    }

    /// A text in a colour.
    public static func coloured(_ text: String, _ colour: Colour) -> String {
        "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }

    /// Moves to the start of the line and empties it.
    static let startOfLine = "\r\u{1b}[K"

    /// Moves to the upper left corner and empties the screen from there.
    public static let clear = "\u{1b}[H\u{1b}[J"
}
