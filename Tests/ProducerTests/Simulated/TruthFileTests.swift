import Foundation
import Harness
import HeartRate
import Testing

/// What `--truth` writes, compared with the messages of the same run.
@Suite(.ownFolder, .logsOnFailure) struct TruthFileTests {
    private static let header = "customer_id,kind,began_at,ended_at"
    private static let spells = ["BRADYCARDIA_SPELLS_PER_HOUR": "6", "TACHYCARDIA_SPELLS_PER_HOUR": "6"]

    private func path() throws -> String { try TestFolder.required().path + "/truth.csv" }

    /// The rows without the header, each as its fields.
    private func rows(_ path: String) throws -> [[String]] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.first == Self.header)
        return lines.dropFirst().map { $0.components(separatedBy: ",") }
    }

    private func instant(_ text: String) throws -> Instant {
        let found = Instant(iso8601: text.utf8.span)
        return try #require(found, "\(text) is a time")
    }

    @Test("is the same for a seed")
    func seed() async throws {
        var files: [String] = []
        for seed in ["7", "7", "8"] {
            let broker = try await TestBroker()
            let settings = Self.spells.merging(["NUM_CUSTOMERS": "5", "SEED": seed, "DROPOUT_RATE": "0.001"]) { $1 }
            let producer = try await broker.runProducer(
                ["--flat-out", "--count", "18000", "--begin", "2026-02-19T15:00:00Z", "--truth", path()], settings)
            #expect(producer.end == .exited(0))
            files.append(try String(contentsOfFile: path(), encoding: .utf8))
        }
        #expect(files[0] == files[1])
        #expect(files[0] != files[2])
        for kind in ["bradycardia", "tachycardia", "elevated", "signal loss"] {
            #expect(files.joined().contains(",\(kind),"), "\(kind)")
        }
    }

    @Test("agrees with the messages")
    func messages() async throws {
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(
            ["--flat-out", "--count", "20000", "--truth", path()], Self.spells.merging(["NUM_CUSTOMERS": "4"]) { $1 })
        #expect(producer.end == .exited(0))
        let episodes = try rows(path())
        #expect(episodes.count > 10)
        var decoder = ReadingDecoder()
        for (customer, payloads) in try await broker.messagesByKey() {
            let own = try episodes.filter { $0[0] == customer && $0[1] != "elevated" }
                .map { ($0[1], try instant($0[2]), try instant($0[3])) }
            var ends: Set<Instant> = []
            for payload in payloads {
                let bytes = Array(payload.utf8)
                let reading = try decoder.decode(bytes.span.bytes, receivedAt: .latest)
                guard let kind = AnomalyRule().judge(reading.heartRate)?.kind else { continue }
                let moment = reading.recordedAt
                let around = own.filter { $0.0 == "\(kind)" && $0.1 <= moment && $0.2 >= moment }
                #expect(around.count == 1, "\(payload)")
                ends.insert(moment)
            }
            #expect(own.allSatisfy { ends.contains($0.1) && ends.contains($0.2) }, "\(customer) begins and ends so")
        }
    }

    @Test("is written when it is stopped")
    func stopped() async throws {
        let broker = try await TestBroker()
        // Always far beyond: what goes on is written at the end.
        let settings = ["NUM_CUSTOMERS": "50", "INTERVAL_SECONDS": "0.1", "TACHYCARDIA_SPELLS_PER_HOUR": "60"]
        let file = try path()
        let producer = try broker.startProducer(["--flat-out", "--truth", file], settings)
        try await eventually("messages arrive") { try broker.messageCount() > 100_000 }
        producer.kill(SIGTERM)
        #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(0))
        let episodes = try rows(file)
        #expect(episodes.contains { $0[1] == "tachycardia" })
        #expect(episodes.allSatisfy { $0.count == 4 && $0[2] <= $0[3] })
        // Of somebody the last sample of all was beyond a limit.
        let last = try #require(episodes.map { $0[3] }.max())
        #expect(try instant(last) > (try instant(try #require(episodes.first)[3])))
    }

    @Test("refuses a file that cannot be written")
    func written() async throws {
        let path = "/proc/truth.csv"
        let producer = try await Heartbeat.run(
            ["producer", "--truth", path], ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"])
        #expect(producer.end == .exited(78))
        #expect(producer.log.contains("unable to write \"\(path)\": no such file or directory"))
        let replay = try await Heartbeat.run(["producer", "--replay", "x", "--truth", "y"], [:])
        #expect(replay.end == .exited(64))
        #expect(try await Heartbeat.run(["producer", "--begin", "2026-02-19T15:00:00Z"], [:]).end == .exited(64))
        #expect(try await Heartbeat.run(["producer", "--flat-out", "--begin", "noon"], [:]).end == .exited(64))
    }
}
