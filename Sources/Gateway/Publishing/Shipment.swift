/// A message, which the consumer stores only once: see `Courier`.
struct OutgoingMessage: Sendable {
    let key, value: [UInt8]
}

/// The messages of a request.
struct Shipment: Sendable {
    let messages: [OutgoingMessage]
    let done: CheckedContinuation<Void, any Error>
}

/// Why messages are not acknowledged.
enum PublishingFailure: Error {
    /// Kafka does not answer.
    case unavailable
    /// Too many wait for Kafka already.
    case full
    /// Kafka has not acknowledged all of them; some may be in the log.
    case unacknowledged
}
