import FoundationEssentials

/// What is known of the topic and what to say of it.
struct TopicFacts {
    let name: String
    let partitions: Int
    let copies: Int
    /// KAFKA_BOOTSTRAP_SERVERS, for the remedies.
    var servers = "localhost:9092"
    /// How many brokers there are.
    var brokers = 1
    /// How many consumers run on this machine.
    var consumers = 0
    /// Its settings by Kafka's names; nil when Kafka does not tell.
    var settings: [String: String]?
    /// Why Kafka does not tell.
    var unknown = "Kafka does not tell"
    /// RETENTION_DAYS.
    var retentionDays = 90
    /// MAX_MESSAGE_BYTES.
    var maxMessageBytes = 65_536
    /// How far the last message's time stamp is ahead of this clock, in milliseconds; nil without a message.
    var newestAhead: Int64?
    /// MAX_CLOCK_SKEW_SECONDS, in milliseconds.
    var skew: Int64 = 300_000

    private static let day: Int64 = 86_400_000

    init(name: String, partitions: Int, copies: Int) {
        self.name = name
        self.partitions = partitions
        self.copies = copies
    }

    var checks: [Check] {
        [
            .ok("kafka.topic", "\"\(name)\""), partitionCheck, copyCheck,
            asked("kafka.cleanup", "cleanup.policy", by: cleanup),
            asked("kafka.retention", "retention.ms", by: retention),
            asked("kafka.message-size", "max.message.bytes", by: messageSize), clock,
        ]
    }

    private var partitionCheck: Check {
        let check = "kafka.partitions"
        guard consumers <= partitions else {
            return .warning(
                check, "\(partitions), but \(consumers) consumers run here: the others have nothing to do",
                remedy: "stop \(consumers - partitions) of them, or "
                    + "kafka-topics --bootstrap-server \(servers) --alter --topic \(name) --partitions \(consumers)")
        }
        return .ok(check, "\(partitions)")
    }

    private var copyCheck: Check {
        let check = "kafka.copies"
        guard copies > 1 || brokers == 1 else {
            return .warning(
                check, "\(brokers) brokers, but each message is on one of them only: when its disk is lost, it is, too",
                remedy: "kafka-reassign-partitions with a plan that names \(min(3, brokers)) brokers a partition")
        }
        return .ok(check, "\(copies), of \(brokers) broker\(brokers == 1 ? "" : "s")")
    }

    /// A check of one of the topic's settings, where Kafka tells it.
    private func asked(
        _ check: String, _ setting: String, by judge: (_ check: String, _ value: String) -> Check
    ) -> Check {
        guard let settings else { return .skipped(check, "\(setting) is not known: \(unknown)") }
        guard let value = settings[setting] else { return .skipped(check, "Kafka does not tell \(setting)") }
        return judge(check, value)
    }

    private func alter(_ setting: String) -> String {
        """
        kafka-configs --bootstrap-server \(servers) --alter --entity-type topics --entity-name \(name) \
        --add-config \(setting)
        """
    }

    private func cleanup(_ check: String, _ policy: String) -> Check {
        guard !policy.split(separator: ",").contains("compact") else {
            return .error(
                check, "cleanup.policy=\(policy): Kafka keeps only the last message of each customer",
                remedy: alter("cleanup.policy=delete"))
        }
        return .ok(check, "cleanup.policy=\(policy)")
    }

    private func retention(_ check: String, _ value: String) -> Check {
        guard let milliseconds = Int64(value) else { return .skipped(check, "retention.ms=\(value)") }
        let most = Int64(retentionDays) * Self.day
        if milliseconds >= 0, milliseconds < Self.day {
            return .warning(
                check, "Kafka deletes messages after \(Self.hours(milliseconds)): so long a consumer may stand still",
                remedy: alter("retention.ms=\(7 * Self.day)"))
        }
        if milliseconds < 0 || milliseconds > most {
            let span = milliseconds < 0 ? "without limit" : "for \(milliseconds / Self.day) days"
            return .warning(
                check, "Kafka keeps messages \(span), although the database drops readings after \(retentionDays) days",
                remedy: alter("retention.ms=\(min(most, 7 * Self.day))") + ", or a larger RETENTION_DAYS")
        }
        return .ok(check, "\(milliseconds / Self.day) days; the database keeps readings \(retentionDays)")
    }

    private static func hours(_ milliseconds: Int64) -> String {
        milliseconds < 3_600_000 ? "\(milliseconds / 60_000) minutes" : "\(milliseconds / 3_600_000) hours"
    }

    private func messageSize(_ check: String, _ value: String) -> Check {
        guard let bytes = Int(value) else { return .skipped(check, "max.message.bytes=\(value)") }
        guard bytes >= maxMessageBytes else {
            return .warning(
                check, "Kafka refuses more than \(bytes) bytes, although the consumer takes \(maxMessageBytes)",
                remedy: alter("max.message.bytes=1048588") + ", or a smaller MAX_MESSAGE_BYTES")
        }
        return .ok(check, "Kafka takes \(bytes) bytes, the consumer \(maxMessageBytes)")
    }

    private var clock: Check {
        let check = "kafka.clock"
        guard let newestAhead else { return .skipped(check, "there is no message to compare clocks by") }
        guard newestAhead <= skew else {
            return .warning(
                check,
                "the last message is \(newestAhead / 1000) s ahead of this clock: readings are rejected for that",
                remedy: "let this machine, the brokers and the senders get their time from a time server")
        }
        return .ok(check, "the last message is not ahead of this clock")
    }
}
