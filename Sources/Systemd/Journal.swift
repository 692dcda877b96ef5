internal import CLibSystemd
internal import Glibc

/// The systemd journal, as structured entries.
public enum Journal {
    /// Sends one entry by sd_journal_sendv(3).
    ///
    /// - Parameter fields: names have 1 to 64 upper-case letters, digits and `_`, and begin with a letter; the journal
    ///   drops others. Values are any text, even of several lines.
    /// - Returns: whether the journal took it. Without a journal on the machine libsystemd takes it silently.
    @discardableResult
    public static func send(_ fields: [(name: String, value: String)]) -> Bool {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for field in fields {
            let start = bytes.count
            bytes += field.name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes += field.value.utf8
            ranges.append(start..<bytes.count)
        }
        // The journal only reads, and only until the call returns; iovec has no pointer to constant bytes.
        return unsafe bytes.withUnsafeMutableBytes { bytes in
            let vectors = unsafe ranges.map { range in
                unsafe iovec(iov_base: bytes.baseAddress.map { unsafe $0 + range.lowerBound }, iov_len: range.count)
            }
            return unsafe sd_journal_sendv(vectors, Int32(vectors.count)) == 0
        }
    }

    /// Whether a file descriptor leads to the journal, as systemd.exec(5) says to find out: it is the device and inode
    /// that `JOURNAL_STREAM` names.
    ///
    /// - Parameters:
    ///   - descriptor: the default is standard error.
    ///   - stream: the value of `JOURNAL_STREAM`.
    public static func isBehind(_ descriptor: Int32 = 2, stream: String?) -> Bool {
        guard let parts = stream?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 2,
            let device = UInt64(parts[0]), let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }
}
