import HeartRate

/// By what batches are judged. A reload makes a new revision, also when only limits in the database have changed.
struct DetectionSettings: Sendable {
    /// Nil when episodes are switched off.
    var rules: EpisodeRules?
    var revision = 0
}
