public import Daemon
public import Kafka
internal import Logging
internal import Synchronization

extension KafkaEvents {
    /// Into the journal: that no broker answers as the service's waiting, another error once a minute, librdkafka's own
    /// lines for debugging.
    public static func journal(_ service: Service) -> KafkaEvents {
        let lastLogged = LastLogged()
        let lastCause = LastCause()
        let logger = service.logger
        return KafkaEvents(
            log: { _, text in logger.debug("librdkafka: \(text)") },
            error: { error in
                lastCause.note(error)
                if error.code == .allBrokersDown {
                    return service.waits(for: .kafka, "\(lastCause.behind(error))")
                }
                guard lastLogged.isDue(error.code) else { return logger.debug("\(error)") }
                logger.warning("\(error)")
            })
    }
}

/// When each kind of error was logged last.
private final class LastLogged: Sendable {
    private let times = Mutex<[KafkaError.Code: ContinuousClock.Instant]>([:])

    func isDue(_ code: KafkaError.Code) -> Bool {
        times.withLock { times in
            if let last = times[code], last.duration(to: .now) < .seconds(60) { return false }
            times[code] = .now
            return true
        }
    }
}
