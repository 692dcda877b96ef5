import Daemon
import HeartRate
import PostgreSQL

/// What the writer does between two jobs, each as often as it is due.
extension Writer {
    /// Asks, after ten seconds in which nothing was written, whether the database is there, and whether it still has what was
    /// written: a standby that was promoted may lack the last transactions, and nobody need send anything more.
    mutating func lookAfterDatabase() {
        guard !positions.isEmpty, ContinuousClock.now - lastAnswer >= .seconds(10) else { return }
        let progress = positions.map { position in
            Batch.Progress(
                sourceID: position.sourceID, partition: position.partition, expected: position.offset,
                next: position.offset)
        }
        let standing = untilDone { store throws(PostgreSQLError) in try store.standing(of: progress) }
        // Whoever has moved one on is found by the fence.
        guard case .behind(let partitions)? = standing else { return }
        exchange.finish(.refused(.behind(partitions: partitions)), epoch: epoch)
    }

    /// Takes over within seconds what people have set for customers. A look that fails is left to the next one.
    mutating func lookForLimits() {
        guard rules != nil, store != nil, .now - lastLimits >= .seconds(5) else { return }
        lastLimits = .now
        guard let version = attempt({ store throws(PostgreSQLError) in try store.limitsVersion() }) else { return }
        if let limitsVersion, limitsVersion != version { detection.reload() }
        limitsVersion = version
    }

    /// Tells people of what they were not told before a restart.
    mutating func tell(_ changes: [CustomerEpisode]) {
        guard !changes.isEmpty else { return }
        // Rather told twice than never.
        let untold = attempt { store throws(PostgreSQLError) in try store.untold(changes) } ?? changes
        for change in untold { episodes.tell(change) }
    }

    /// Looks, every ten seconds, for what nobody has acknowledged in time.
    mutating func remind() {
        guard let delay = rules?.reminder, !sources.isEmpty, ContinuousClock.now - lastReminder >= .seconds(10) else {
            return
        }
        lastReminder = .now
        let reminders = attempt { store throws(PostgreSQLError) in
            try store.reminders(after: delay, most: EpisodeChoice.mostInAMinute)
        }
        for reminder in reminders ?? [] { episodes.tell(reminder) }
    }

    /// Has it found out, once a second, whether customers who are overdue are really silent.
    mutating func lookForSilence() {
        guard ContinuousClock.now - lastLook >= .seconds(1) else { return }
        lastLook = .now
        guard detection.silences.isDue(at: monotonicMilliseconds()) else { return }
        exchange.answer(.silenceDue, epoch: epoch)
    }

    /// A row of `pipeline_log` for a minute in which nothing came, so that silence can be told from absence.
    mutating func logIdleMinute() {
        guard !sources.isEmpty, ContinuousClock.now - lastLog >= .seconds(60) else { return }
        lastLog = .now
        _ = attempt { store throws(PostgreSQLError) in try store.logIdleMinute() }
    }
}
