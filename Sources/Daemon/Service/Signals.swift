internal import Glibc
internal import Synchronization

/// A wish to stop that any thread can utter, look at, and wait for.
public final class StopSignal: Sendable {
    private let latch = Latch()

    /// Nobody has asked yet.
    public init() {}

    /// Whether somebody has asked to stop. Cheap enough to ask for each message.
    public var isRequested: Bool { latch.isOpen }

    /// Asks to stop and wakes all who wait. Asking again changes nothing.
    public func request() { latch.open() }

    /// Waits, but no longer than until somebody asks to stop.
    ///
    /// - Returns: whether somebody has asked; `guard !stop.wait(for: backoff.next()) else { return }` is a pause that a
    ///   stop cuts short.
    public func wait(for duration: Duration) -> Bool { latch.wait(for: duration) }
}

/// What the process is asked to do by signals.
///
/// - SIGTERM and SIGINT ask to stop. A second one ends the process at once with status 128 + its number.
/// - SIGHUP asks to reload.
/// - SIGPIPE is ignored.
public final class Signals: Sendable {
    /// Asked for by SIGTERM and SIGINT.
    public let stop: StopSignal
    private let reloadRequested = Atomic(false)

    private init(stop: StopSignal) {
        self.stop = stop
    }

    /// Begins to catch the signals. Call it once, before the daemon's threads are started.
    ///
    /// - Parameter stop: is asked to stop by the signals; for a program that has one already.
    /// - Throws: when the system has no pipe or thread left.
    public static func install(stop: StopSignal = StopSignal()) throws(SystemError) -> Signals {
        let signals = Signals(stop: stop)
        ignoreBrokenPipes()
        try catchSignals([SIGTERM, SIGINT, SIGHUP]) { signals.receive($0) }
        return signals
    }

    /// Whether a reload has been asked for since the last call.
    public func takeReloadRequest() -> Bool {
        reloadRequested.exchange(false, ordering: .acquiringAndReleasing)
    }

    private func receive(_ signal: Int32) {
        if signal == SIGHUP {
            reloadRequested.store(true, ordering: .releasing)
        } else if stop.isRequested {
            exitAtOnce(128 + signal)
        } else {
            stop.request()
        }
    }
}
