import Daemon
import Glibc
import Zlib

/// A file of recorded readings, a gzip or not, that can be read more than once.
///
/// What is no regular file, such as a pipe, is copied to a temporary one first: whether it is sound is known at its end.
struct RecordedFile: ~Copyable {
    /// As it was named.
    let path: String
    /// The copy of a pipe, which has no name any more; -1 without.
    private let copy: Int32

    private init(path: String, copy: Int32) {
        self.path = path
        self.copy = copy
    }

    /// Opens the file, and copies it when it can be read only once.
    ///
    /// - Returns: nil when it was asked to stop before the end of a pipe.
    /// - Throws: `CommandFailure` when it cannot be copied.
    static func open(
        path: String, _ course: (stop: StopSignal, loop: WorkLoop)
    ) throws(CommandFailure) -> RecordedFile? {
        var status = stat()
        // What is not there, or a folder, is refused by whoever reads its lines.
        guard unsafe stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else {
            return RecordedFile(path: path, copy: -1)
        }
        let source = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure(path) }
        defer { close(source) }
        var name = Array("\(folder)/heartbeat-replay-XXXXXX".utf8CString)
        let copy = unsafe mkstemp(&name)
        guard copy >= 0 else { throw failure("\(path): no temporary file in \(folder)") }
        unsafe unlink(name)
        let file = RecordedFile(path: path, copy: copy)
        guard try copyAll(from: source, to: copy, path: path, course) else { return nil }
        return file
    }

    deinit { if copy >= 0 { close(copy) } }

    /// Its lines from the first on.
    func lines() throws(GzipError) -> LineReader {
        try LineReader(path: copy >= 0 ? "/proc/self/fd/\(copy)" : path)
    }

    private static var folder: String { unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp" }

    /// - Returns: false when it was asked to stop before the end.
    private static func copyAll(
        from source: Int32, to copy: Int32, path: String, _ course: (stop: StopSignal, loop: WorkLoop)
    ) throws(CommandFailure) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !course.stop.isRequested {
            course.loop.progressed()
            var waiting = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, 100) > 0 else { continue }
            let count = unsafe read(source, &buffer, buffer.count)
            if count == 0 { return true }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            var written = 0
            while written < count {
                let more = unsafe buffer.withUnsafeBytes { bytes in
                    unsafe write(copy, bytes.baseAddress.map { unsafe $0 + written }, count - written)
                }
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { throw failure("\(path): its copy in \(folder)") }
                written += more
            }
        }
        return false
    }

    private static func failure(_ what: String) -> CommandFailure {
        CommandFailure(.config, "\(what): \(SystemError.last)")
    }
}
