import Kafka

/// Which broker a message comes from, and how often the client has connected to it by now.
struct Origins {
    private let consumer: KafkaConsumer
    private var total = -1
    private var last = Assignment.Origin(broker: -1, connections: -1)

    init(_ consumer: KafkaConsumer) { self.consumer = consumer }

    /// Looked up only after a new connection, or for another broker than the last time.
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
        Assignment.Origin(broker: broker, connections: consumer.connectionCount(of: broker))
    }
}
