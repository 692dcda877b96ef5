internal import Daemon

/// What the notifier remembers of a receiver.
struct Desk {
    let sender: Sender
    let loop: WorkLoop
    private var backoff: Backoff
    private var dueAt = ContinuousClock.now
    /// Whether something may wait for it in the database.
    var mayHaveWork = true
    /// When it was told last of what is open.
    private var refreshedAt = ContinuousClock.now
    /// Why it cannot be reached; nil when it can.
    private(set) var failure: String?

    /// How often Alertmanager is told what is open: Prometheus does so each minute.
    private static let refreshPause = Duration.seconds(60)

    init(_ sender: Sender, loop: WorkLoop, longestPause: Duration) {
        (self.sender, self.loop) = (sender, loop)
        backoff = Backoff(from: min(.milliseconds(500), longestPause), to: longestPause)
    }

    /// Whether it can be given something now.
    func isDue(at now: ContinuousClock.Instant) -> Bool { sender.isIdle && now >= dueAt }

    /// Whether it has to be told now what is open.
    func isRefreshDue(at now: ContinuousClock.Instant) -> Bool {
        guard case .alertmanager = sender.receiver.way else { return false }
        return isDue(at: now) && now - refreshedAt >= Self.refreshPause
    }

    /// Notes that it is told now.
    mutating func refreshed(at now: ContinuousClock.Instant) { refreshedAt = now }

    /// Notes that it has answered.
    ///
    /// - Returns: whether it had not before.
    mutating func answered() -> Bool {
        defer { failure = nil }
        backoff.reset()
        return failure != nil
    }

    /// Notes that it has not answered, and waits for longer each time.
    ///
    /// - Returns: whether it had before.
    mutating func failed(_ cause: String, at now: ContinuousClock.Instant) -> Bool {
        defer { failure = cause }
        dueAt = now + backoff.next()
        return failure == nil
    }
}
