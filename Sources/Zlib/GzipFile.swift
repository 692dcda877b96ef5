internal import CLibZ
internal import Glibc

/// A file that is read from its beginning to its end, unpacked when it is a gzip and as it is when it is not.
@safe struct GzipFile: ~Copyable {
    private let handle: gzFile
    private let path: String

    init(path: String) throws(GzipError) {
        // An embedded NUL would end the path early for the system.
        guard !path.utf8.contains(0) else { throw GzipError(path: path, cause: Self.words(EINVAL)) }
        Glibc.errno = 0
        guard let handle = unsafe gzopen(path, "rbe") else {
            // zlib.h: errno is zero when there was not enough memory.
            throw GzipError(path: path, cause: Self.words(Glibc.errno == 0 ? ENOMEM : Glibc.errno))
        }
        unsafe self.handle = handle
        self.path = path
        // zlib.h: 64K or 128K "will noticeably increase the speed of decompression (reading)".
        unsafe gzbuffer(handle, 131_072)
    }

    deinit { unsafe gzclose(handle) }

    /// Fills `buffer` from an index on, as far as the file goes.
    ///
    /// - Returns: how many bytes were read; 0 at the end of the file.
    mutating func read(into buffer: inout [UInt8], from start: Int) throws(GzipError) -> Int {
        Glibc.errno = 0
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            return unsafe gzread(handle, room.baseAddress, UInt32(clamping: room.count))
        }
        let cause = Glibc.errno
        guard count <= 0 else { return Int(count) }
        // zlib.h: "gzread does not return -1 in the event of an incomplete gzip stream", so ask at the end, too.
        var code: Int32 = 0
        let text = unsafe gzerror(handle, &code)
        switch code {
        case Z_OK, Z_STREAM_END: return 0
        case Z_BUF_ERROR: throw GzipError(path: path, cause: "the gzip is truncated")
        case Z_ERRNO: throw GzipError(path: path, cause: Self.words(cause))
        default:
            // zlib puts the path before its words.
            let words = unsafe text.map { unsafe String(cString: $0) } ?? "error \(code)"
            let prefix = path + ": "
            throw GzipError(
                path: path,
                cause: "the gzip is corrupt: "
                    + (words.hasPrefix(prefix) ? String(words.dropFirst(prefix.count)) : words))
        }
    }

    private static func words(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
