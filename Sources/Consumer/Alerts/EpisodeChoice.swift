import HeartRate

/// Chooses which changes are worth a line and a command of their own.
///
/// - High severity, and medium of what has lasted for long: ten minutes at rest, a trend. The rest is for those who look at
///   the dashboard. Who is told too much stops listening.
/// - An episode once at each severity, also when it swings between two severities.
/// - Nothing that was over when it was found, or that happened long ago: when old messages are read, after an outage or from
///   a recording, there is nobody to be helped any more. But what began during our outage and goes on is told as soon as
///   readings of these minutes show it. A sensor whose clock is behind tells of these minutes, too, whatever it says.
/// - At most `mostInAMinute`: when a broken gateway makes a thousand customers' signals vanish at once, a thousand pages
///   hide the one that is something else. A line a minute has the number of those that were not told.
struct EpisodeChoice {
    /// How many changes were not told, by why.
    struct Untold: Equatable {
        var old = 0
        var many = 0
    }

    static let mostInAMinute = 60
    /// What happened longer ago, in microseconds, is not told: 10 minutes.
    private static let tooLate: Int64 = 600_000_000
    /// The same of a signal loss that goes on: a day. It is found by our own clock, so it is news also when the last reading
    /// came long before, while we were away; the bound is for recordings.
    private static let tooLateForSilence: Int64 = 86_400_000_000
    private static let minute: Int64 = 60_000_000
    /// Bounds the memory of episodes. Beyond it all of it is forgotten, and an episode may be told again.
    private static let mostRemembered = 10_000

    /// Open episodes that were told, at which severity.
    private var told: [EpisodeKey: Severity] = [:]
    /// Open episodes of which it was too late to tell.
    private var late: Set<EpisodeKey> = []
    /// The starts of the minutes that limit how many are told, and how often those that were not are summed up.
    private var toldMinute = Instant.earliest
    private var untoldMinute = Instant.earliest
    private var inThisMinute = 0
    private var untold = Untold()

    /// - Parameters:
    ///   - changes: what one batch has changed, in order.
    ///   - standing: how the batch's customers' episodes stand after it.
    mutating func worthTelling(
        _ changes: [CustomerEpisode], standing: [Findings.Found] = [], at now: Instant
    ) -> [CustomerEpisode] {
        // Most batches change nothing that is urgent, while one of a backlog changes much.
        let urgent = changes.filter {
            $0.episode.worstSeverity == .high || $0.episode.toldSeverity != nil
                || $0.change == .closed && told[EpisodeKey($0.customerID, $0.episode)] != nil
        }
        let over = Set(urgent.filter { $0.change == .closed }.map { EpisodeKey($0.customerID, $0.episode) })
        var chosen = urgent.filter { isWorthTelling($0, over: over, at: now) }
        if !late.isEmpty { chosen += standing.compactMap { goingOn($0, now) } }
        return chosen
    }

    /// What was not told, once a minute as long as there is something.
    mutating func takeUntold(at now: Instant) -> Untold? {
        guard untold != Untold(), Self.isOver(untoldMinute, now) else { return nil }
        untoldMinute = now
        defer { untold = Untold() }
        return untold
    }

    private mutating func isWorthTelling(_ change: CustomerEpisode, over: Set<EpisodeKey>, at now: Instant) -> Bool {
        let key = EpisodeKey(change.customerID, change.episode)
        switch change.change {
        case .eased:
            return false
        case .closed:
            // Who was told of it is told of its end, whenever that is found. After a restart nobody knows any more.
            let wasTold = told.removeValue(forKey: key) != nil
            guard late.remove(key) == nil, wasTold || isNews(change, now) else { return false }
            return hasRoom(now)
        case .opened, .escalated, .sustained:
            guard let severity = change.episode.toldSeverity, told[key].map({ $0 < severity }) ?? true,
                !late.contains(key)
            else { return false }
            guard isNews(change, now), !over.contains(key) else {
                untold.old += 1
                if late.count >= Self.mostRemembered { late.removeAll() }
                late.insert(key)
                return false
            }
            guard hasRoom(now) else { return false }
            remember(key, severity)
            return true
        }
    }

    /// An episode that was found too late, if it goes on now.
    private mutating func goingOn(_ found: Findings.Found, _ now: Instant) -> CustomerEpisode? {
        let (key, episode) = (EpisodeKey(found.customerID, found.episode), found.episode)
        let age = now.microsecondsSince1970 - episode.lastSeenAt.microsecondsSince1970 - found.behind * 1000
        guard late.contains(key), episode.closedAt == nil, let severity = episode.toldSeverity, age <= Self.tooLate,
            hasRoom(now)
        else { return nil }
        late.remove(key)
        remember(key, severity)
        return CustomerEpisode(
            customerID: found.customerID, episode: episode, change: .opened, behind: found.behind)
    }

    private func isNews(_ change: CustomerEpisode, _ now: Instant) -> Bool {
        let isSilent = change.episode.kind.isTechnical && change.change != .closed
        let age = now.microsecondsSince1970 - change.happenedAt.microsecondsSince1970 - change.behind * 1000
        return age <= (isSilent ? Self.tooLateForSilence : Self.tooLate)
    }

    private mutating func hasRoom(_ now: Instant) -> Bool {
        if Self.isOver(toldMinute, now) { (toldMinute, inThisMinute) = (now, 0) }
        guard inThisMinute < Self.mostInAMinute else {
            untold.many += 1
            return false
        }
        inThisMinute += 1
        return true
    }

    /// Whether the minute is over that began then, or somebody has set the clock back.
    private static func isOver(_ start: Instant, _ now: Instant) -> Bool {
        !(0..<minute).contains(now.microsecondsSince1970 - start.microsecondsSince1970)
    }

    private mutating func remember(_ key: EpisodeKey, _ severity: Severity) {
        if told.count >= Self.mostRemembered { told.removeAll() }
        told[key] = severity
    }
}
