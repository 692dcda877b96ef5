public import HeartRate

/// What somebody knows of a customer: what was the matter from one moment to another.
public struct ScoreLabel: Sendable {
    /// What was the matter: the name of a kind of episode, or any other word, such as `effort`, which explains episodes.
    public var kind: String
    /// When it began.
    public var began: Instant
    /// When it was over.
    public var ended: Instant

    /// What was the matter from one moment to another.
    public init(kind: String, began: Instant, ended: Instant) {
        self.kind = kind
        self.began = began
        self.ended = ended
    }

    /// Whether it and an episode have a moment in common.
    func overlaps(_ episode: Episode, until end: Instant) -> Bool {
        episode.openedAt <= ended && began <= (episode.closedAt ?? max(end, episode.raisedAt))
    }

    /// Whether an episode of a kind is what somebody knows. A word that names no kind of episode stands for effort,
    /// fever or what else makes a heart fast: it explains what is not of high severity.
    func explains(_ episode: Episode) -> Bool {
        if kind == episode.kind.name { return true }
        let isKind = EpisodeKind.allCases.contains { $0.name == kind }
        switch episode.kind {
        case .tachycardia: return !isKind && episode.worstSeverity < .high
        case .bradycardia: return false
        case .deviation, .trend: return kind != EpisodeKind.signalLoss.name
        default: return false
        }
    }
}
