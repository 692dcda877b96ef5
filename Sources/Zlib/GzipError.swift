/// Why a file cannot be read any further.
public struct GzipError: Error, Equatable, CustomStringConvertible {
    /// The file as it was named.
    public let path: String
    /// The cause: the system's words, or what is wrong with the gzip.
    public let cause: String

    /// `unable to read "PATH": CAUSE`.
    public var description: String { "unable to read \"\(path)\": \(cause)" }
}
