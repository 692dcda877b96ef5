import Daemon

/// A member that the group has given no partition: the others may read all of them, the topic may be missing, or the group
/// was assigned while it was.
///
/// librdkafka joins again only when it sees the topic change. A topic that was missing for the group's leader alone, at the
/// moment of the assignment, would be read by nobody.
struct Standby {
    private var isAsked = false
    private var due = ContinuousClock.now

    /// Asks at once, then now and then.
    ///
    /// - Returns: what has been found out since the last call.
    mutating func update(_ examinations: Examinations, at now: ContinuousClock.Instant) -> Examinations.Readers? {
        guard isAsked else {
            guard now >= due else { return nil }
            isAsked = true
            examinations.lookUpReaders()
            return nil
        }
        guard let finding = examinations.takeReaders() else { return nil }
        isAsked = false
        due = now + (finding == .othersRead ? .seconds(10) : .seconds(1))
        return finding
    }
}
