internal import Glibc

// The few system calls that Daemon makes, and all of its unsafe code.

/// Why a system call failed.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The number that the call left in errno.
    public let errno: Int32

    /// An error by its number.
    public init(errno: Int32) { self.errno = errno }

    /// The system's own words for it, beginning in lower case: `permission denied`.
    public var description: String {
        var buffer = [CChar](repeating: 0, count: 256)
        // Unlike strerror this is safe beside other threads.
        guard unsafe strerror_r(errno, &buffer, buffer.count) == 0 else { return "error \(errno)" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // "Is a directory" gets a small letter, "RPC struct is bad" keeps its capitals.
        return text.dropFirst().first?.isUppercase == true ? text : text.prefix(1).lowercased() + text.dropFirst()
    }

    /// Whether the file simply is not there.
    public var isNoSuchFile: Bool { errno == ENOENT }

    /// That of the last system call of this thread.
    public static var last: SystemError { SystemError(errno: Glibc.errno) }
}

/// The bytes of a file, at most 1 MiB; more is refused as "file too large".
public func readWholeFile(_ path: String) throws(SystemError) -> [UInt8] {
    // An embedded NUL would end the path early for the system.
    guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
    // A pipe that somebody has left there must not make us wait.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw SystemError.last }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
        let count = unsafe read(descriptor, &buffer, buffer.count)
        if count == 0 { return contents }
        if count < 0 {
            if Glibc.errno == EINTR { continue }
            throw SystemError.last
        }
        contents += buffer[..<count]
        guard contents.count <= 1 << 20 else { throw SystemError(errno: EFBIG) }
    }
}

/// Checks that a path leads to a file that this process may run.
///
/// - Throws: why it does not; "permission denied" also for what is no file.
public func checkProgram(_ path: String) throws(SystemError) {
    guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw SystemError.last }
    // A folder that can be entered is "executable", too.
    guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(errno: EACCES) }
    guard unsafe access(path, X_OK) == 0 else { throw SystemError.last }
}

/// Checks that this process may read what a path leads to.
public func checkReadable(_ path: String) throws(SystemError) {
    guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
    guard unsafe access(path, R_OK) == 0 else { throw SystemError.last }
}

/// How many files this process may have open at once, when it raises its limit as far as it may.
public func mostOpenFiles() -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(openFiles, &limit) == 0 else { return 1024 }
    return Int(clamping: limit.rlim_max)
}

/// Raises this process's limit of open files as far as it may and needs to.
///
/// - Parameter wanted: the files that it needs.
/// - Returns: how many it may have open now.
public func raiseOpenFilesLimit(to wanted: Int) -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(openFiles, &limit) == 0 else { return 1024 }
    let raised = min(rlim_t(max(0, wanted)), limit.rlim_max)
    guard raised > limit.rlim_cur else { return Int(clamping: limit.rlim_cur) }
    var newer = limit
    newer.rlim_cur = raised
    return Int(clamping: unsafe setrlimit(openFiles, &newer) == 0 ? raised : limit.rlim_cur)
}

private let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

/// Replaces a file as a whole, readable by everybody: a reader sees the old one or the new one, never a part.
func replaceFile(_ path: String, with text: String) throws(SystemError) {
    guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
    let draft = path + ".tmp"
    // The folder may be open to others: nobody else's file or link is written to.
    _ = unsafe unlink(draft)
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError.last }
    // Whatever the umask is.
    let isReadable = fchmod(descriptor, 0o644) == 0
    let isWritten = isReadable && writeAll(text, to: descriptor)
    let failure = SystemError.last
    close(descriptor)
    guard isWritten else {
        _ = unsafe unlink(draft)
        throw failure
    }
    guard unsafe rename(draft, path) == 0 else { throw SystemError.last }
}

/// Adds a text at the end of a file, which everybody may read when it is made here.
public func appendToFile(_ path: String, _ text: String) throws(SystemError) {
    guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError.last }
    defer { close(descriptor) }
    guard writeAll(text, to: descriptor) else { throw SystemError.last }
}

/// A file that is written from its beginning on, by and by.
public struct GrowingFile: ~Copyable {
    private let descriptor: Int32

    /// Makes it, or empties it.
    public init(_ path: String) throws(SystemError) {
        guard !path.utf8.contains(0) else { throw SystemError(errno: EINVAL) }
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw SystemError.last }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Adds a text at its end.
    public mutating func append(_ text: String) throws(SystemError) {
        guard writeAll(text, to: descriptor) else { throw SystemError.last }
    }
}

/// Removes a file, if it is there.
func removeFile(_ path: String) { _ = unsafe unlink(path) }

/// Writes a line to standard output without a buffer in between, for whoever waits for it at a pipe's other end.
public func printAtOnce(_ line: String) { writeLine(line, to: STDOUT_FILENO) }

// When it fails there is nowhere left to complain.
func writeLine(_ line: String, to descriptor: Int32) { _ = writeAll(line + "\n", to: descriptor) }

/// Writes a part of a line to the terminal that standard error is.
func writeToTerminal(_ text: String) { _ = writeAll(text, to: STDERR_FILENO) }

private func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { bytes in unsafe write(descriptor, bytes.baseAddress, bytes.count) }
        if count < 0, Glibc.errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

/// The time of day in microseconds since 1970-01-01 00:00 UTC, without leap seconds.
///
/// For intervals take `ContinuousClock`: this one jumps when somebody sets it.
public func wallClockMicroseconds() -> Int64 {
    var time = timespec()
    // It can fail only for a clock that does not exist.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

/// The same as it was at the system's last tick, up to 10 ms ago. It costs a fifth, for whoever asks a million times.
public func coarseWallClockMicroseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

/// Milliseconds of a clock that is never set; only differences mean something.
public func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Has the calling thread sleep.
func sleepThisThread(milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// Ends the process at once; nothing is flushed and nothing is run.
func exitAtOnce(_ status: Int32) -> Never {
    _exit(status)
}

/// Ends the process as a return from main does.
func exitOrderly(_ status: Int32) -> Never {
    exit(status)
}

/// Starts a thread that nobody has to join.
func startThread(_ body: @escaping () -> Void) throws(SystemError) {
    final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
    // The new thread takes over this reference.
    let box = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer = unsafe pointer else { return nil }
            unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        unsafe box.release()
        throw SystemError(errno: code)
    }
    pthread_detach(thread)
}

/// Names the calling thread as `top -H` and the journal show it; the kernel keeps 15 bytes.
func nameThisThread(_ name: String) {
    // Swift sees neither pthread_setname_np, which is GNU's, nor prctl, which is variadic; this file does the same.
    let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var name = name
    while name.utf8.count > 15 { name.removeLast() }
    _ = unsafe write(descriptor, name, name.utf8.count)
}
