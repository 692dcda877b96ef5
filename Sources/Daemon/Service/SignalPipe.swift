internal import Glibc
internal import Synchronization

// A signal handler may do next to nothing, so ours writes the signal's number into a pipe, and a thread reads it there.
// Unlike signals blocked for sigwait(3) or signalfd(2) this needs no help from other threads, whoever started them, and
// a program that is started by us finds its signals as they should be.

/// The pipe's end for writing; -1 as long as there is none.
private let signalPipe = Atomic<Int32>(-1)

/// Catches signals and gives each, by its number, to a function that runs on a thread of its own.
func catchSignals(_ signals: [Int32], _ receive: @escaping @Sendable (Int32) -> Void) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemError.last }
    let input = ends[0]
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // The handler must not wait. 64 KiB of signals that nobody has read yet are enough.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    // This also makes the global exist before a handler needs it.
    signalPipe.store(ends[1], ordering: .releasing)
    try startThread {
        nameThisThread("signals")
        while let signal = readByte(input) { receive(Int32(signal)) }
    }
    for signal in signals {
        // glibc's signal(3) restarts interrupted system calls.
        _ = Glibc.signal(signal) { signal in
            let before = errno
            var byte = UInt8(truncatingIfNeeded: signal)
            _ = unsafe write(signalPipe.load(ordering: .acquiring), &byte, 1)
            errno = before
        }
    }
}

/// Lets a write into a closed pipe or connection fail with EPIPE instead of ending the process.
func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
}

func readByte(_ descriptor: Int32) -> UInt8? {
    var byte: UInt8 = 0
    while true {
        let count = unsafe read(descriptor, &byte, 1)
        if count == 1 { return byte }
        guard count < 0, errno == EINTR else { return nil }
    }
}
