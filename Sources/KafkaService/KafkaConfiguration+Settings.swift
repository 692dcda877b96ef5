public import Daemon
public import Kafka
internal import SharedSettings

extension Settings {
    /// librdkafka's configuration: heartbeat's own values, and whatever `RDKAFKA_...` passes through.
    ///
    /// - Parameters:
    ///   - role: what the client is made for.
    ///   - defaults: properties that the settings may change.
    ///   - fixed: properties that a promise rests on; the settings cannot change them.
    /// - Throws: `SettingsError` when librdkafka refuses a property or no client can be made, or when a property is a
    ///   fixed one.
    public func kafkaConfiguration(
        for role: KafkaConfiguration.Role, defaults: [(name: String, value: String)],
        fixed: [(name: String, value: String)]
    ) throws(SettingsError) -> KafkaConfiguration {
        var configuration = KafkaConfiguration()
        var problems: [String] = []
        func set(_ name: String, _ value: String, refusal: (String) -> String) {
            do throws(KafkaError) {
                try configuration.set(name, value)
            } catch {
                problems.append(refusal(error.description))
            }
        }
        // A broker that was down for a moment is used again within a second instead of ten (the default).
        let shared = [
            (name: "reconnect.backoff.max.ms", value: "1000"), (name: "log.connection.close", value: "false"),
            // New partitions, and a topic that is made after the start, are seen within this time; 300 s is the default.
            (name: "topic.metadata.refresh.interval.ms", value: "10000"),
            // So long a broker that has fallen silent holds up what another one could answer by now; 60 s is the default.
            (name: "socket.timeout.ms", value: "10000"),
        ]
        for (name, value) in shared + defaults { set(name, value) { "\(name): \($0)" } }
        let kept = fixed + [(name: "bootstrap.servers", value: self[.kafkaBootstrapServers])]
        for property in kafkaProperties {
            guard !kept.contains(where: { $0.name == property.name }) else {
                problems.append(property.refusal("heartbeat sets \(property.name) itself"))
                continue
            }
            set(property.name, property.value, refusal: property.refusal)
        }
        for (name, value) in kept { set(name, value) { "\(name): \($0)" } }
        guard problems.isEmpty else { throw SettingsError(problems) }
        do throws(KafkaError) {
            try configuration.check(for: role)
        } catch {
            let unreadable = unreadableFiles
            guard unreadable.isEmpty else { throw SettingsError(unreadable) }
            let culprit = kafkaProperties.first { error.description.contains($0.name) }
            throw SettingsError([culprit?.refusal(error.description) ?? error.description])
        }
        return configuration
    }

    /// librdkafka names the property of a file that it cannot use, but neither the file nor always the cause.
    private var unreadableFiles: [String] {
        kafkaProperties.compactMap { property in
            guard property.name.hasSuffix(".location") else { return nil }
            do throws(SystemError) {
                try checkReadable(property.value)
                return nil
            } catch {
                return property.refusal("unable to read \"\(property.value)\": \(error)")
            }
        }
    }
}
