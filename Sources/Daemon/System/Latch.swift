internal import Synchronization

/// A gate that is opened once, for any number of threads to wait at.
public final class Latch: Sendable {
    // Beside the monitor, so that a look costs no lock.
    private let opened = Atomic(false)
    private let monitor = Monitor(false)

    /// It is closed.
    public init() {}

    /// Whether it was opened.
    public var isOpen: Bool { opened.load(ordering: .acquiring) }

    /// Opens it and wakes all who wait. Opening it again changes nothing.
    public func open() {
        opened.store(true, ordering: .releasing)
        monitor.withLock { $0 = true }
        monitor.wakeAll()
    }

    /// Waits until it is opened, but no longer than this.
    ///
    /// - Returns: whether it was opened.
    public func wait(for duration: Duration) -> Bool {
        // Rounded up to whole milliseconds; 100 years stand for any longer time.
        let milliseconds = min(max(0, (duration / .milliseconds(1)).rounded(.up)), 3_155_760_000_000)
        return monitor.wait(milliseconds: Int(milliseconds)) { $0 ? true : nil } ?? false
    }

    /// Waits until it is opened.
    public func wait() { _ = monitor.wait { $0 ? true : nil } }
}
