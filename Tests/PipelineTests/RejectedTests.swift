import Harness
import Kafka
import Testing

/// `heartbeat rejected` against a real database and a broker, as the role that a consumer has.
@Suite(.serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure)
struct RejectedTests {
    /// No reading; one has a key, a payload and a header that are no text.
    private static let bad = [
        Message(customer: "c1", timestamp: "2026-01-02T03:04:05Z", heartRate: 300),
        Message(
            key: [0xff, 0x00], value: [0xfe, 0x01],
            headers: [.init(name: "trace", value: [0x80]), .init(name: "empty", value: nil)]),
        Message(key: nil, value: nil, headers: [.init(name: "note", value: Array("a\tb".utf8))]),
    ]

    @Test("list shows the newest first and show tells everything")
    func everything() async throws {
        let pipeline = try await Pipeline(partitions: 1)
        try pipeline.broker.publish(Self.bad)
        try await pipeline.drain()

        let list = try await pipeline.rejected("list")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.first?.split(separator: " ").prefix(2) == ["id", "time"])
        #expect(lines.dropFirst().map { $0.prefix(1) } == ["3", "2", "1"])
        #expect(lines.last?.contains("\(pipeline.broker.topic) [0] @0  out_of_range") == true)
        #expect(try await pipeline.rejected("list", "--code", "tombstone").output.split(separator: "\n").count == 2)
        #expect(try await pipeline.rejected("list", "--limit", "1").output.split(separator: "\n").count == 2)
        #expect(try await pipeline.rejected("list", "--since", "tomorrow").output == "no rejected messages\n")

        let shown = try await pipeline.rejected("show", "2").output
        #expect(shown.contains(/key +0xff00\n/))
        #expect(shown.contains(/header +trace: 0x80\nheader +empty: null\n/))
        #expect(shown.contains(/payload +2 bytes\n0xfe01\n/))
        #expect(try await pipeline.rejected("show", "3").output.contains(/header +note: a\\tb\npayload +null/))
        #expect(try await pipeline.rejected("show", "4").end == .exited(70))
    }

    @Test("replay publishes each message once as it was and never goes in circles")
    func circles() async throws {
        let pipeline = try await Pipeline(partitions: 1)
        try pipeline.broker.publish(Self.bad)
        try await pipeline.drain()

        #expect(try await pipeline.rejected("replay", "--dry-run").output == "3 messages would be published again\n")
        #expect(try pipeline.broker.messageCount() == 3)
        #expect(try await pipeline.rejected("replay").output == "3 messages published again\n")
        #expect(try pipeline.broker.messageCount() == 6)
        try await pipeline.drain()

        let replayed = try pipeline.database.rows(
            """
            SELECT old.replayed_at IS NOT NULL, new.key IS NOT DISTINCT FROM old.key,
                   new.payload IS NOT DISTINCT FROM old.payload, new.reason_code = old.reason_code,
                   (new.headers - -1) IS NOT DISTINCT FROM coalesce(old.headers, '[]'),
                   new.headers -> -1 ->> 0,
                   convert_from(decode(new.headers -> -1 ->> 1, 'base64'), 'UTF8')
                       = format('%s/%s/%s', old.topic, old.partition, old.kafka_offset)
              FROM rejected_messages old JOIN rejected_messages new ON new.id = old.id + 3 ORDER BY old.id
            """)
        let asItWas = ["t", "t", "t", "t", "t", "heartbeat-replay-of", "t"]
        #expect(replayed == [asItWas, asItWas, asItWas])

        let again = try await pipeline.rejected("replay").output
        #expect(again.hasPrefix("0 messages published again\n3 skipped: published again before"))
        #expect(again.contains("\n3 skipped: they were refused again after a replay"))
        #expect(try pipeline.broker.messageCount() == 6)
        #expect(try await pipeline.rejected("replay", "5", "--again").output == "1 messages published again\n")
        #expect(try pipeline.broker.messageCount() == 7)
        try await pipeline.drain()
        try await pipeline.expectSound(7)
    }

    @Test("a message that has become good is stored")
    func stored() async throws {
        let pipeline = try await Pipeline(partitions: 1)
        let early = try pipeline.database.rows(
            "SELECT to_char(now() + interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
        let timestamp = try #require(early.first?.first ?? nil)
        try pipeline.broker.publish([Message(customer: "c1", timestamp: timestamp, heartRate: 70)])
        try await pipeline.drain()
        #expect(try pipeline.database.number("SELECT count(*) FROM rejected_messages") == 1)

        #expect(
            try await pipeline.rejected("replay", "--code", "out_of_range").output == "0 messages published again\n")
        #expect(
            try await pipeline.rejected("replay", "--code", "future_timestamp").output == "1 messages published again\n"
        )
        try await pipeline.drain(["MAX_CLOCK_SKEW_SECONDS": "7200"])
        #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings WHERE heart_rate = 70") == 1)
        try await pipeline.expectSound(2)
    }

    @Test("two replays at once publish each message once")
    func once() async throws {
        let pipeline = try await Pipeline(partitions: 4)
        try pipeline.broker.publish((0..<1000).map { Message(key: Array("\($0)".utf8), value: Array("no \($0)".utf8)) })
        try await pipeline.drain()
        let replays = try ["first", "second"].map {
            try Heartbeat.start($0, ["rejected", "replay"], settings: pipeline.operatorSettings)
        }
        // Either may be the first to end.
        for replay in replays { replay.expectEnd() }
        for replay in replays { replay.expectEnd() }
        for replay in replays { #expect(try await replay.waitForEnd(within: .seconds(60)) == .exited(0)) }
        #expect(try pipeline.broker.messageCount() == 2000)
        try await pipeline.drain()
        #expect(
            try pipeline.database.rows("SELECT count(*), count(DISTINCT payload) FROM rejected_messages")
                == [["2000", "1000"]])
    }

    @Test("nothing is marked as published when Kafka is unreachable")
    func away() async throws {
        let pipeline = try await Pipeline(partitions: 1)
        try pipeline.broker.publish(Self.bad)
        try await pipeline.drain()
        let replay = try await pipeline.rejected(
            "replay", settings: ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "RDKAFKA_MESSAGE_TIMEOUT_MS": "1000"])
        #expect(replay.end == .exited(69))
        #expect(replay.log.contains("3 messages to \"\(pipeline.broker.topic)\" are not acknowledged"))
        #expect(
            try pipeline.database.number("SELECT count(*) FROM rejected_messages WHERE replayed_at IS NOT NULL") == 0)
        let unknown = try await pipeline.rejected("replay", "1", "99")
        #expect(unknown.end == .exited(70))
        #expect(unknown.log.contains("there is no rejected message 99: nothing is published"))
    }
}

extension Pipeline {
    /// Settings for the commands of an operator who has the consumer's role.
    fileprivate var operatorSettings: [String: String] {
        database.settings(as: "heartbeat-consumer").merging(["KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers]) { $1 }
    }

    /// Runs `heartbeat rejected`.
    fileprivate func rejected(
        _ arguments: String..., settings: [String: String] = [:]
    ) async throws -> Heartbeat.Finished {
        try await Heartbeat.run(["rejected"] + arguments, operatorSettings.merging(settings) { $1 })
    }
}
