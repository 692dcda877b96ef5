import Kafka
import Logging
import Synchronization

/// What librdkafka reports outside of any call: logged, but not again and again, and kept when it is the end.
final class KafkaTrouble: Sendable {
    private struct State {
        var fatal: KafkaError?
        /// When an error was logged last, by its code.
        var logged: [KafkaError.Code: ContinuousClock.Instant] = [:]
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    /// The error after which the producer can not go on, if there was one.
    var fatal: KafkaError? { state.withLock { $0.fatal } }

    /// The handlers for the producer.
    var events: KafkaEvents {
        let logger = logger
        return KafkaEvents(
            log: { _, text in logger.debug("librdkafka: \(text)") }, error: { [self] error in report(error) })
    }

    private func report(_ error: KafkaError) {
        let now = ContinuousClock.now
        let isNews = state.withLock { state in
            if error.isFatal { state.fatal = error }
            // Every message that is given up comes here, and every attempt to connect.
            if let last = state.logged[error.code], now - last < .seconds(60) { return false }
            state.logged[error.code] = now
            return true
        }
        if isNews { logger.warning("\(error)") }
    }
}
