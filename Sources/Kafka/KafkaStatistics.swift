internal import FoundationEssentials

/// What librdkafka says of its brokers and partitions every `statistics.interval.ms`, without asking anybody.
///
/// Its STATISTICS.md describes each field.
public struct KafkaStatistics: Sendable, Equatable {
    /// One connection to a broker; the group's coordinator has one of its own.
    public struct Connection: Sendable, Equatable {
        /// The broker's number; -1 for a bootstrap address.
        public var id: Int32
        /// Its address.
        public var name: String
        /// Whether the connection is up and used.
        public var isUp: Bool
        /// Microseconds since it has last sent anything; nil when it never has.
        public var silence: Int64?
        /// How many requests it has not answered yet.
        public var unanswered: Int
        /// How many fetches it was sent; there is one at a time.
        public var fetches = 0
        /// Whether it is the one for the group's coordinator only.
        public var isCoordinator = false

        /// What is known of one connection.
        public init(id: Int32, name: String, isUp: Bool, silence: Int64?, unanswered: Int) {
            self.id = id
            self.name = name
            self.isUp = isUp
            self.silence = silence
            self.unanswered = unanswered
        }
    }

    /// One partition that is read.
    public struct Reach: Sendable, Equatable {
        /// The number of the broker that leads it; -1 for none.
        public var leader: Int32
        /// Whether it is being fetched.
        public var isFetched: Bool
        /// One past the last offset that readers get; negative before the first answer.
        public var end: Int64
        /// How many messages a producer has for it that are not on their way.
        public var waiting: Int

        /// What is known of one partition.
        public init(leader: Int32, isFetched: Bool, end: Int64, waiting: Int = 0) {
            self.leader = leader
            self.isFetched = isFetched
            self.end = end
            self.waiting = waiting
        }
    }

    /// Every connection.
    public var brokers: [Connection]
    /// The partitions by topic and number.
    public var topics: [String: [Int32: Reach]]

    /// Figures of one moment.
    public init(brokers: [Connection], topics: [String: [Int32: Reach]]) {
        self.brokers = brokers
        self.topics = topics
    }

    /// Reads librdkafka's JSON; nil when it is not what STATISTICS.md says.
    public init?(json: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(json)) else { return nil }
        brokers = document.brokers.values.map { broker in
            var connection = Connection(
                id: broker.nodeid, name: broker.nodename, isUp: broker.state == "UP",
                silence: broker.rxidle < 0 ? nil : broker.rxidle, unanswered: broker.waitresp_cnt)
            connection.fetches = broker.req["Fetch"] ?? 0
            connection.isCoordinator = broker.source == "logical"
            return connection
        }
        topics = document.topics.mapValues { topic in
            let known = topic.partitions.values.filter { $0.partition >= 0 }
            return Dictionary(
                known.map { partition in
                    (
                        partition.partition,
                        Reach(
                            leader: partition.leader, isFetched: partition.fetch_state == "active",
                            // The last stable offset is where a reader of committed messages ends.
                            end: partition.ls_offset >= 0 ? partition.ls_offset : partition.hi_offset,
                            waiting: partition.msgq_cnt + partition.xmit_msgq_cnt)
                    )
                }
            ) { first, _ in first }
        }
    }

    private struct Document: Decodable {
        struct BrokerEntry: Decodable {
            let nodeid: Int32
            let nodename: String
            let source: String
            let state: String
            let rxidle: Int64
            let waitresp_cnt: Int
            let req: [String: Int]
        }

        struct TopicEntry: Decodable {
            struct PartitionEntry: Decodable {
                let partition: Int32
                let leader: Int32
                let fetch_state: String
                let hi_offset: Int64
                let ls_offset: Int64
                let msgq_cnt: Int
                let xmit_msgq_cnt: Int
            }

            let partitions: [String: PartitionEntry]
        }

        let brokers: [String: BrokerEntry]
        let topics: [String: TopicEntry]
    }
}
