import Kafka

/// Which broker a message comes from, and how often the client had connected to it or asked where the topic is: by now, and
/// when the message was asked for.
struct Origins {
    private let consumer: KafkaConsumer
    private var total = -1
    private var last = Assignment.Origin(broker: -1, count: -1)
    private var asked = ConnectionCounts()

    init(_ consumer: KafkaConsumer) { self.consumer = consumer }

    /// Messages are asked for now.
    mutating func ask() {
        asked = consumer.connectionCounts
        total = -1
    }

    /// Looked up only after something was counted, or for another broker than the last time.
    mutating func origin(_ broker: Int32) -> Assignment.Origin {
        let count = consumer.connectionCount
        if count != total || broker != last.broker {
            total = count
            last = now(of: broker)
        }
        return last
    }

    /// Looked up in any case.
    func now(of broker: Int32) -> Assignment.Origin {
        Assignment.Origin(
            broker: broker, count: consumer.connectionCounts.count(of: broker), asked: asked.count(of: broker))
    }
}
