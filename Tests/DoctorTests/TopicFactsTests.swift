import Testing

@testable import Doctor

/// What cannot be broken in every cluster, as values.
@Suite("What is said of a topic") struct TopicFactsTests {
    private static let day = 86_400_000

    private static func verdict(
        _ name: String, settings: [String: String]? = nil, _ change: (inout TopicFacts) -> Void = { _ in }
    ) -> Check.Verdict? {
        var facts = TopicFacts(name: "heartbeat", partitions: 4, copies: 1)
        facts.settings = settings
        change(&facts)
        return facts.checks.first { $0.name == "kafka.\(name)" }?.verdict
    }

    @Test(
        "retention is long enough for an outage, and no longer than that of the database",
        arguments: [
            (0, .warning), (day - 1, .warning), (day, .ok), (90 * day, .ok), (90 * day + 1, .warning), (-1, .warning),
        ] as [(Int, Check.Verdict)])
    func retention(milliseconds: Int, expected: Check.Verdict) {
        #expect(Self.verdict("retention", settings: ["retention.ms": "\(milliseconds)"]) == expected)
    }

    @Test(
        "compaction would drop readings",
        arguments: [("delete", .ok), ("compact", .error), ("compact,delete", .error)] as [(String, Check.Verdict)])
    func cleanup(policy: String, expected: Check.Verdict) {
        #expect(Self.verdict("cleanup", settings: ["cleanup.policy": policy]) == expected)
    }

    @Test("messages that the consumer takes must get into the topic")
    func size() {
        #expect(Self.verdict("message-size", settings: ["max.message.bytes": "65536"]) == .ok)
        #expect(Self.verdict("message-size", settings: ["max.message.bytes": "65535"]) == .warning)
    }

    @Test("one copy is enough for one broker only")
    func copies() {
        #expect(Self.verdict("copies") == .ok)
        #expect(Self.verdict("copies") { $0.brokers = 3 } == .warning)
    }

    @Test("more consumers than partitions are too many")
    func partitions() {
        #expect(Self.verdict("partitions") { $0.consumers = 4 } == .ok)
        #expect(Self.verdict("partitions") { $0.consumers = 5 } == .warning)
    }

    @Test("clocks differ by what the consumer tolerates at most")
    func clock() {
        #expect(Self.verdict("clock") == .skipped)
        #expect(Self.verdict("clock") { $0.newestAhead = 300_000 } == .ok)
        #expect(Self.verdict("clock") { $0.newestAhead = 300_001 } == .warning)
    }

    @Test("a cluster that does not tell its settings is no fault", arguments: ["cleanup", "retention", "message-size"])
    func unknown(name: String) {
        #expect(Self.verdict(name) == .skipped)
        #expect(Self.verdict(name, settings: [:]) == .skipped)
        #expect(Self.verdict(name, settings: ["retention.ms": "x", "max.message.bytes": "x"]) == .skipped)
    }
}
