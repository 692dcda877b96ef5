internal import Dispatch
internal import Glibc
internal import Synchronization

/// A wish to stop that any thread can utter, look at, and wait for.
public final class StopSignal: Sendable {
    private let requested = Atomic(false)
    private let latch = Latch()

    /// Nobody has asked yet.
    public init() {}

    /// Whether somebody has asked to stop. Cheap enough to ask for each message.
    public var isRequested: Bool { requested.load(ordering: .acquiring) }

    /// Asks to stop and wakes all who wait. Asking again changes nothing.
    public func request() {
        requested.store(true, ordering: .releasing)
        latch.open()
    }

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

/// A gate that is opened once, for any number of threads to wait at.
final class Latch: Sendable {
    private let group = DispatchGroup()
    private let isOpen = Atomic(false)

    init() {
        group.enter()
    }

    deinit {
        // A group that somebody is in keeps itself alive.
        open()
    }

    func open() {
        if !isOpen.exchange(true, ordering: .acquiringAndReleasing) { group.leave() }
    }

    /// Whether it was opened within the time.
    func wait(for duration: Duration) -> Bool {
        let nanoseconds = (duration / .nanoseconds(1)).rounded()
        // A time too long for libdispatch's clock is for ever.
        guard nanoseconds < Double(Int64.max / 2) else {
            group.wait()
            return true
        }
        return group.wait(timeout: .now() + .nanoseconds(Int(max(0, nanoseconds)))) == .success
    }

    func wait() {
        group.wait()
    }
}
