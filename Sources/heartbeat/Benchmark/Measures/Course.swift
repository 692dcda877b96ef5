import Daemon

/// How a measure goes on: it can be ended, says how far it is, and gives up when nothing moves any more.
struct Course {
    /// So long nothing may move: a group's rebalance or a server's start takes less.
    private static let patience = Duration.seconds(60)

    /// It was asked to stop.
    static let stopped = CommandFailure(.software, "stopped before the end: there are no figures")

    private let stop: StopSignal
    private let progress: TerminalProgress
    private var moved = ContinuousClock.now
    private var last = -1

    init(_ stop: StopSignal, _ progress: TerminalProgress) {
        self.stop = stop
        self.progress = progress
    }

    /// Says how far it is.
    ///
    /// - Throws: `CommandFailure` when it was asked to stop, or when nothing has moved for a minute.
    mutating func reach(_ count: Int, of total: Int, _ unit: String) throws(CommandFailure) {
        progress.tell("\(BenchmarkResults.number(count)) of \(BenchmarkResults.number(total)) \(unit)")
        try expectGoing()
        guard count == last else {
            last = count
            moved = .now
            return
        }
        guard ContinuousClock.now - moved < Self.patience else {
            throw CommandFailure(
                .unavailable,
                "nothing has moved for a minute at \(count) of \(total) \(unit): Kafka or PostgreSQL hangs")
        }
    }

    /// - Throws: `CommandFailure` when it was asked to stop.
    func expectGoing() throws(CommandFailure) {
        if stop.isRequested { throw Self.stopped }
    }

    /// Waits a moment, shorter when it is asked to stop.
    func pause(milliseconds: Int) { _ = stop.wait(for: .milliseconds(milliseconds)) }
}
