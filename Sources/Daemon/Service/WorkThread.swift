/// A thread with a name, for a loop that blocks.
public final class WorkThread: Sendable {
    private let finished: Latch

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: as `top -H` shows it; the first 15 bytes are kept.
    ///   - body: runs on the thread; the thread ends with it.
    /// - Throws: when the system has no thread left.
    public init(name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
        let finished = Latch()
        self.finished = finished
        try startThread {
            nameThisThread(name)
            body()
            finished.open()
        }
    }

    /// Waits until the body has returned. Any thread can, as often as it likes.
    public func join() {
        finished.wait()
    }

    /// Waits until the body has returned, but no longer than a time; returns whether it has.
    public func join(within duration: Duration) -> Bool {
        finished.wait(for: duration)
    }
}
