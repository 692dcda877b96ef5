internal import Glibc

/// Reads the lines of a file, a gzip or a plain one, and lends the bytes of each: allocates nothing for a line.
///
/// ```swift
/// var lines = try LineReader(path: "readings.csv.gz")
/// while let line = try lines.next() { ... }
/// ```
public struct LineReader: ~Copyable {
    /// The longest line that is taken, in bytes: 1 MiB. It bounds the memory when a file has no lines at all.
    public static let longestLine = 1 << 20

    /// The file as it was named.
    public let path: String
    /// How many lines have been lent: the number of the last one, counted from 1.
    public private(set) var lineNumber = 0

    private var file: GzipFile
    private var buffer = [UInt8](repeating: 0, count: 1 << 17)
    /// What is read and not yet lent.
    private var start = 0
    private var end = 0

    /// Opens the file.
    ///
    /// - Throws: `GzipError` when that is not possible.
    public init(path: String) throws(GzipError) {
        self.path = path
        file = try GzipFile(path: path)
    }

    /// The next line without its end, which is LF or CRLF; the last line needs none, and may end with Ctrl-Z. Lent until the
    /// next call.
    ///
    /// - Returns: nil at the end of the file.
    /// - Throws: `GzipError` when the file cannot be read, is a truncated or corrupt gzip, or has a line longer than
    ///   `longestLine`. All whole lines before a truncation have been lent then.
    @_lifetime(&self)
    public mutating func next() throws(GzipError) -> Span<UInt8>? {
        guard let line = try advance() else { return nil }
        return buffer.span.extracting(line)
    }

    /// Where the next line is in the buffer.
    private mutating func advance() throws(GzipError) -> Range<Int>? {
        var searched = start
        while true {
            if let newline = firstNewline(from: searched) {
                let isCRLF = newline > start && buffer[newline - 1] == UInt8(ascii: "\r")
                return take(start..<(isCRLF ? newline - 1 : newline), next: newline + 1)
            }
            searched = end - start
            try makeRoom()
            let count = try file.read(into: &buffer, from: end)
            if count == 0 {
                guard start < end else { return nil }
                // Ctrl-Z: with it DOS ended its files.
                return take(start..<(buffer[end - 1] == 0x1A ? end - 1 : end), next: end)
            }
            end += count
        }
    }

    private mutating func take(_ line: Range<Int>, next: Int) -> Range<Int> {
        start = next
        lineNumber += 1
        return line
    }

    private func firstNewline(from searched: Int) -> Int? {
        unsafe buffer.withUnsafeBytes { bytes in
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[searched..<end])
            guard let first = part.baseAddress, let found = unsafe memchr(first, 10, part.count)
            else { return nil }
            return unsafe searched + (UnsafeRawPointer(found) - first)
        }
    }

    /// Moves what is left of a line to the front; doubles the buffer for a line that fills it.
    private mutating func makeRoom() throws(GzipError) {
        if start > 0 {
            unsafe buffer.withUnsafeMutableBytes { bytes in
                guard let first = bytes.baseAddress else { return }
                unsafe memmove(first, first + start, end - start)
            }
            end -= start
            start = 0
        }
        guard end == buffer.count else { return }
        guard buffer.count < Self.longestLine else {
            throw GzipError(path: path, cause: "line \(lineNumber + 1) is longer than \(Self.longestLine) bytes")
        }
        buffer += [UInt8](repeating: 0, count: buffer.count)
    }
}
