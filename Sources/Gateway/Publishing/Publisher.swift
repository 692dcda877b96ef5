internal import Daemon
internal import Kafka
internal import KafkaService
internal import Logging
internal import SharedSettings
internal import Synchronization

/// Publishes messages for many requests at a time, and tells each when Kafka has acknowledged all of its own.
///
/// Handlers are tasks, librdkafka's producer belongs to one thread: they meet at a counter whose length is bounded.
final class Publisher: Sendable {
    private struct Counter {
        var isOpen = false
        var waiting: [Shipment] = []
        /// How many messages are not settled yet.
        var unsettled = 0
    }

    private let counter = Monitor(Counter())
    private let service: Service
    /// The most messages that wait for Kafka; they take some 50 MB.
    private static let most = 100_000

    init(_ service: Service) { self.service = service }

    /// How many messages Kafka has not acknowledged yet.
    var unsettled: Int { counter.withLock { $0.unsettled } }

    /// Publishes messages and waits until Kafka has acknowledged all of them.
    ///
    /// - Throws: `PublishingFailure` when that did not happen: then all of them should be sent again, which is harmless.
    func publish(_ messages: [OutgoingMessage]) async throws {
        guard !messages.isEmpty else { return }
        guard !service.isWaiting(for: .kafka) else { throw PublishingFailure.unavailable }
        try await withCheckedThrowingContinuation { continuation in
            let refusal = counter.withLock { counter -> PublishingFailure? in
                guard counter.isOpen else { return .unavailable }
                guard counter.unsettled + messages.count <= Self.most else { return .full }
                counter.unsettled += messages.count
                counter.waiting.append(Shipment(messages: messages, done: continuation))
                return nil
            }
            if let refusal { return continuation.resume(throwing: refusal) }
            counter.wakeAll()
        }
    }

    /// Works until it is closed; on a thread of its own.
    ///
    /// - Throws: `KafkaError` or `SettingsError` when librdkafka cannot go on.
    func run(_ settings: Settings, _ configuration: KafkaConfiguration) throws {
        guard try settings.ensureTopic(configuration, service) else { return }
        service.ready()
        let loop = service.loop("publisher")
        let courier = try Courier(configuration, topic: settings[.kafkaTopic], service)
        defer { settle(courier.giveUp()) }
        counter.withLock { $0.isOpen = true }
        var lastLook = ContinuousClock.now
        while let shipments = take(waitingMilliseconds: courier.isIdle ? 100 : 0) {
            loop.progressed()
            for shipment in shipments { settle(courier.send(shipment)) }
            settle(try courier.deliver())
            if lastLook.duration(to: .now) >= .seconds(1) {
                lastLook = .now
                courier.look()
            }
        }
    }

    /// Takes nothing more; what waits is not acknowledged.
    func close() {
        let waiting = counter.withLock { counter in
            defer { counter.waiting = [] }
            counter.isOpen = false
            return counter.waiting
        }
        for shipment in waiting { shipment.done.resume(throwing: PublishingFailure.unavailable) }
        counter.wakeAll()
    }

    /// What has come; nil when it is closed.
    private func take(waitingMilliseconds: Int) -> [Shipment]? {
        let taken = counter.wait(milliseconds: waitingMilliseconds) { counter -> [Shipment]?? in
            guard counter.isOpen else { return .some(nil) }
            guard !counter.waiting.isEmpty else { return nil }
            defer { counter.waiting = [] }
            return counter.waiting
        }
        return taken ?? []
    }

    private func settle(_ messages: Int) {
        guard messages > 0 else { return }
        counter.withLock { $0.unsettled -= messages }
    }
}
