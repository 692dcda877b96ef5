import Foundation
import Harness
import HeartRate
import Testing

/// The whole program, from a file to Kafka and back.
@Suite(.ownFolder, .logsOnFailure) struct ReplayTests {
    /// Writes a file of recorded readings, packed when its name says so.
    private func file(_ rows: [String], name: String = "readings.csv") throws -> String {
        let folder = try TestFolder.required()
        let text = (["customer_id,recorded_at,heart_rate"] + rows).map { $0 + "\n" }.joined()
        guard name.hasSuffix(".gz") else { return try folder.write(name, text) }
        let plain = try folder.write(String(name.dropLast(3)), text)
        let gzip = try Process.run(URL(filePath: "/usr/bin/env"), arguments: ["gzip", plain])
        gzip.waitUntilExit()
        #expect(gzip.terminationStatus == 0)
        return plain + ".gz"
    }

    private func rows(_ count: Int) -> [String] {
        (0..<count).map { "cust-\($0 % 7),2020-01-01T00:\(twoDigits($0 / 60 % 60)):\(twoDigits($0 % 60)).5Z,\($0)" }
    }

    private func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }

    private func message(_ row: String) -> String {
        let fields = row.split(separator: ",")
        return #"{"schema_version": "1.0", "customer_id": "\#(fields[0])", "timestamp": "\#(fields[1])", "#
            + #""heart_rate": \#(fields[2])}"#
    }

    private func expected(_ rows: [String]) -> [String: [String]] {
        Dictionary(grouping: rows) { String($0.prefix { $0 != "," }) }.mapValues { $0.map(message) }
    }

    @Test(
        "publishes every row as it stands in the order of its customer", arguments: ["readings.csv", "readings.csv.gz"])
    func customer(name: String) async throws {
        let rows = rows(3000)
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--replay", try file(rows, name: name), "--flat-out"])
        #expect(producer.end == .exited(0))
        #expect(producer.log.contains("finished: 3000 delivered, 0 not delivered\n"))
        #expect(try await broker.messagesByKey() == expected(rows))
    }

    /// The partitions that Kafka's own clients choose; the hashes are those of UtilsTest.java in Apache Kafka.
    @Test("chooses the partitions that other clients choose")
    func choose() async throws {
        let hashes: [String: Int32] = [
            "21": -973_932_308, "foobar": -790_332_482, "a-little-bit-long-string": -985_981_536,
            "a-little-bit-longer-string": -1_486_304_829,
            "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58_897_971, "abc": 479_470_107,
        ]
        let broker = try await TestBroker(partitions: 7)
        let file = try file(hashes.keys.map { "\($0),2020-01-01T00:00:00Z,70" })
        #expect(try await broker.runProducer(["--replay", file, "--flat-out"]).end == .exited(0))
        for partition in 0..<Int32(7) {
            let keys = Set(try await broker.read(partition: partition).map { text($0.key) })
            #expect(keys == Set(hashes.filter { ($0.value & Int32.max) % 7 == partition }.keys))
        }
    }

    @Test("shifts all timestamps by the same amount")
    func amount() async throws {
        let rows = ["a,2020-01-01T00:00:00.250+01:00,1", "a,2019-12-31T23:00:00.350Z,2", "a,2020-01-01T00:00:00Z,3"]
        let broker = try await TestBroker()
        let before = Date.now
        #expect(
            try await broker.runProducer(["--replay", try file(rows), "--flat-out", "--shift-to-now"]).end
                == .exited(0))
        let times = try await broker.messagesByKey()["a", default: []].map { try microseconds(of: $0) }
        let first = try #require(times.first)
        #expect((before...Date.now).contains(Date(timeIntervalSince1970: Double(first) / 1e6)))
        #expect(times.map { $0 - first } == [0, 100_000, 3_599_750_000])
    }

    @Test(
        "names the line that is no reading after delivering those before it",
        arguments: [
            (["a,2020-01-01T00:00:00Z,1", "a,2020-01-01T00:00:01Z"], ":3: expected 3 fields"),
            (["a,2020-01-01T00:00:00Z,1", "a,2020-01-01T00:00:01Z,fast"], #":3: heart_rate "fast" is not an integer"#),
            (["a,2020-01-01T00:00:00Z,1", #"a,"2020-01-01T00:00:01Z",1"#], ":3: a quotation mark"),
            (["a,2020-01-01T00:00:00Z,1", "a,yesterday,1"], #":3: recorded_at "yesterday" is not a timestamp"#),
        ])
    func before(rows: [String], problem: String) async throws {
        let broker = try await TestBroker()
        let path = try file(rows)
        let producer = try await broker.runProducer(["--replay", path, "--speed", "1000"])
        #expect(producer.end == .exited(78))
        #expect(producer.log.contains("stopped by an error: 1 delivered, 0 not delivered\n"))
        #expect(producer.log.contains("heartbeat: " + path + problem))
        #expect(try await broker.messagesByKey() == ["a": [message(rows[0])]])
    }

    @Test("delivers what is left of a truncated gzip and says so")
    func says() async throws {
        let rows = rows(20_000)
        let path = try file(rows, name: "readings.csv.gz")
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--replay", path, "--flat-out"])
        #expect(producer.end == .exited(78))
        let (delivered, undelivered) = try lastCounts(in: producer.log)
        #expect(delivered > 1000 && undelivered == 0)
        #expect(producer.log.contains("heartbeat: \(path):\(delivered + 2): the gzip is truncated\n"))
        #expect(try await broker.messagesByKey() == expected(Array(rows.prefix(delivered))))
    }

    @Test(
        "refuses a file without the header before it asks for Kafka",
        arguments: ["", "heart_rate,customer_id,recorded_at\n", "a,2020-01-01T00:00:00Z,70\n"])
    func kafka(text: String) async throws {
        let path = try TestFolder.required().write("readings.csv", text)
        let producer = try await Heartbeat.run(["producer", "--replay", path], [:])
        #expect(producer.end == .exited(78))
        #expect(producer.log == "heartbeat: \(path):1: expected the header customer_id,recorded_at,heart_rate\n")
    }

    private func microseconds(of message: String) throws -> Int64 {
        var decoder = ReadingDecoder()
        let now = Instant(microsecondsSince1970: Int64(Date.now.timeIntervalSince1970 * 1e6))
        let limits = DecodingLimits(maximumClockSkew: .hours(2))
        return try decoder.decode(Array(message.utf8).span.bytes, receivedAt: now, limits: limits)
            .recordedAt.microsecondsSince1970
    }
}
