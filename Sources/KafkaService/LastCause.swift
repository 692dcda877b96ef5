internal import Kafka
internal import Synchronization

/// What a client said last of its connections. A call only says that it had no answer, this says why.
final class LastCause: Sendable {
    /// librdkafka repeats an error that goes on every 30 s; an older one may be over.
    private static let validity: Duration = .seconds(60)

    private let last = Mutex<(error: KafkaError, at: ContinuousClock.Instant)?>(nil)

    /// Keeps an error, unless it only says that there is no broker.
    func note(_ error: KafkaError) {
        guard error.code != .allBrokersDown else { return }
        last.withLock { $0 = (error, .now) }
    }

    /// Forgets the error, because a broker has answered.
    func clear() { last.withLock { $0 = nil } }

    /// The cause of an error: what the client said when no broker has answered, else the error itself.
    func behind(_ error: KafkaError) -> KafkaError {
        guard error.isWithoutAnswer, let (cause, at) = last.withLock({ $0 }), at.duration(to: .now) < Self.validity
        else { return error }
        return cause
    }
}
