internal import Systemd

/// What the service manager hears of a unit that does one thing and ends.
///
/// Units that are ordered after it start when the thing is done, or when it takes longer than they should wait.
public final class StartNotice: Sendable {
    private let isOver = Latch()

    /// Begins to count the time.
    ///
    /// - Parameter limit: after which READY=1 is sent although the thing is not done.
    /// - Throws: when the system has no thread left.
    public init(within limit: Duration) throws(SystemError) {
        let isOver = isOver
        _ = try WorkThread(name: "start") {
            if !isOver.wait(for: limit) { notify(.ready) }
        }
    }

    /// Says what it is waiting for: STATUS.
    public func tell(_ sentence: String) { notify(.status(sentence)) }

    /// Says that the thing is done: READY=1.
    public func done(_ sentence: String) {
        isOver.open()
        notify(.ready, .status(sentence))
    }
}
