extension KafkaConfiguration {
    /// What a client is made for.
    public enum Role: Sendable {
        /// It reads as a member of a group.
        case consumer
        /// It publishes.
        case producer
    }

    /// Makes a client and drops it: only then librdkafka opens files, such as certificates, and looks at properties
    /// together. It connects to nothing.
    ///
    /// - Throws: `KafkaError` that says what cannot work.
    public func check(for role: Role) throws(KafkaError) {
        // It knows no server, and joins no group.
        let names = ["bootstrap.servers", "metadata.broker.list", "group.id"]
        var trial = KafkaConfiguration()
        for property in properties where !names.contains(property.name) { try trial.set(property.name, property.value) }
        switch role {
        case .consumer: _ = try KafkaConsumer(trial)
        case .producer: _ = try KafkaProducer(trial, topic: "none")
        }
    }
}
