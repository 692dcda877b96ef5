import Daemon

/// What every part of a running consumer is given.
struct ConsumerContext: Sendable {
    let settings: Settings
    /// This consumer's name in `pipeline_log`.
    let name: String
    let service: Service
    let metrics: ConsumerMetrics
    /// Where logs are examined.
    let examinations = Examinations()
}
