internal import Daemon
internal import Kafka
internal import KafkaService
internal import Logging

/// The producer of the thread that publishes, and what it has on its way.
///
/// Each message has the header `heartbeat-once`: the consumer stores one reading of a customer, a time and a rate, and rejects a
/// repeat. So it does no harm that a request comes again whose answer got lost.
final class Courier {
    private struct Open {
        let shipment: Shipment
        var left: Int
        var hasFailed = false
    }

    /// What asks the consumer not to store a repeat.
    private static let once = [KafkaMessage.Header(name: "heartbeat-once", value: [UInt8(ascii: "1")])]

    private let configuration: KafkaConfiguration
    private let topic: String
    private let service: Service
    private let events: KafkaEvents
    private var producer: KafkaProducer
    private var open: [Int: Open] = [:]
    private var number = 0

    init(_ configuration: KafkaConfiguration, topic: String, _ service: Service) throws(KafkaError) {
        self.configuration = configuration
        self.service = service
        self.topic = topic
        events = .journal(service)
        producer = try KafkaProducer(configuration, topic: topic, events: events, keepsReports: true)
    }

    /// Whether nothing is on its way.
    var isIdle: Bool { open.isEmpty }

    /// Hands the messages of a request to librdkafka.
    ///
    /// - Returns: how many messages it does not take, which settles them.
    func send(_ shipment: Shipment) -> Int {
        number += 1
        var unsent = 0
        for (index, message) in shipment.messages.enumerated() {
            do throws(KafkaError) {
                if try producer.produce(
                    key: message.key, value: message.value, headers: Self.once, number: number)
                {
                    continue
                }
            } catch {
                service.logger.warning("\(error)")
            }
            unsent = shipment.messages.count - index
            break
        }
        open[number] = Open(shipment: shipment, left: shipment.messages.count)
        return unsent > 0 ? settle(number, unsent, failed: true) : 0
    }

    /// Waits a moment for acknowledgements.
    ///
    /// - Returns: how many messages are settled.
    /// - Throws: `KafkaError` when no producer can be made.
    func deliver() throws(KafkaError) -> Int {
        producer.poll(milliseconds: open.isEmpty ? 0 : 1)
        var settled = 0
        for report in producer.takeReports() {
            if let error = report.error {
                service.waits(for: .kafka, "\(error)")
            } else if service.isWaiting(for: .kafka) {
                service.answered(.kafka)
            }
            settled += settle(report.number, 1, failed: report.error != nil)
        }
        guard let fatal = producer.fatalError else { return settled }
        service.logger.warning("\(fatal): going on with another client")
        settled += giveUp()
        producer = try KafkaProducer(configuration, topic: topic, events: events, keepsReports: true)
        return settled
    }

    /// Asks whether Kafka answers again, as long as it does not.
    func look() { producer.cluster.look(for: topic, service) }

    /// Ends what is on its way.
    ///
    /// - Returns: how many messages that settles.
    func giveUp() -> Int {
        var settled = 0
        for (number, shipment) in open { settled += settle(number, shipment.left, failed: true) }
        return settled
    }

    private func settle(_ number: Int, _ count: Int, failed: Bool) -> Int {
        guard var shipment = open[number] else { return 0 }
        shipment.left -= count
        if failed { shipment.hasFailed = true }
        open[number] = shipment.left > 0 ? shipment : nil
        guard shipment.left <= 0 else { return count }
        if shipment.hasFailed {
            shipment.shipment.done.resume(throwing: PublishingFailure.unacknowledged)
        } else {
            shipment.shipment.done.resume()
        }
        return count
    }
}
