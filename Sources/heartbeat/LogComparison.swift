import Daemon
import Database
import Kafka
import KafkaService
import SharedSettings

/// Whether Kafka's logs are those that are stored: compares the end of each with the last stored message.
struct LogComparison {
    /// What Kafka has of one stored partition.
    enum Finding: Equatable {
        /// The same log, as far as there is anything to compare.
        case same
        /// It ends before the offset up to which it is stored.
        case endsEarly(at: Int64)
        /// It has another message in the place of the last stored one.
        case differs(at: Int64)
        /// It was not compared, for this reason.
        case unknown(String)

        /// Whether another log than Kafka's is stored.
        var isAnother: Bool {
            switch self {
            case .endsEarly, .differs: true
            case .same, .unknown: false
            }
        }
    }

    /// What was found, by the source in `kafka_offsets`.
    private(set) var findings: [Int64: Finding] = [:]

    /// Asks Kafka.
    ///
    /// - Throws: `KafkaError` when Kafka does not answer; `SettingsError` when librdkafka refuses a setting.
    init(_ sources: [Verification.Source], _ settings: Settings) throws {
        let configuration = try settings.kafkaConfiguration(
            for: .consumer, defaults: [("client.id", "heartbeat-verify"), ("group.id", "heartbeat-verify")], fixed: [])
        let reader = try LogReader(configuration)
        let clusterID = try reader.clusterID(withinMilliseconds: 5000)
        for (topic, sources) in Dictionary(grouping: sources.filter(\.isOpen), by: \.topic) {
            let here = sources.filter { $0.clusterID == clusterID }
            for source in sources { findings[source.sourceID] = .unknown("its cluster is another one") }
            let count = here.isEmpty ? 0 : try reader.partitionCount(of: topic) ?? 0
            for source in here { findings[source.sourceID] = .unknown("Kafka does not have it") }
            let known = here.filter { $0.partition < count }
            guard !known.isEmpty else { continue }
            let ends = try reader.watermarks(of: known.map(\.place))
            for source in known {
                findings[source.sourceID] =
                    try ends[source.place].map { try Self.compare(source, with: $0, reader) }
                    ?? .unknown("it has no leader")
            }
        }
    }

    private static func compare(
        _ source: Verification.Source, with log: Watermarks, _ reader: borrowing LogReader
    ) throws(KafkaError) -> Finding {
        if log.high < source.nextOffset { return .endsEarly(at: log.high) }
        guard let last = source.last, last.offset >= log.low else { return .same }
        let found = try reader.messages(of: source.place, in: last.offset..<last.offset + 1, most: 1) { $0.fingerprint }
        return found.allSatisfy { $0 == last.fingerprint } ? .same : .differs(at: last.offset)
    }
}

extension LogComparison.Finding {
    /// For the partition's line; nil when there is nothing to say.
    var text: String? {
        switch self {
        case .same: nil
        case .endsEarly(let end):
            "KAFKA'S LOG ENDS AT \(end): it has lost its end, or the topic was recreated"
        case .differs(let offset):
            "KAFKA HAS ANOTHER LOG: its message at offset \(offset) is not the stored one"
        case .unknown(let cause): "not compared with Kafka: \(cause)"
        }
    }
}

extension Verification.Source {
    fileprivate var place: TopicPartition { TopicPartition(topic: topic, partition: Int32(partition)) }
}
