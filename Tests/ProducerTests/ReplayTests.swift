import Foundation
import Testing

/// The whole program, from a file to Kafka and back.
@Suite struct ReplayTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())")

    /// Writes a file of recorded readings, packed when its name says so.
    private func file(_ rows: [String], name: String = "readings.csv") throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appending(path: name).path
        let plain = name.hasSuffix(".gz") ? String(path.dropLast(3)) : path
        let text = (["customer_id,recorded_at,heart_rate"] + rows).map { $0 + "\n" }.joined()
        try text.write(toFile: plain, atomically: true, encoding: .utf8)
        if path != plain {
            let gzip = try Process.run(URL(filePath: "/usr/bin/env"), arguments: ["gzip", "--force", plain])
            gzip.waitUntilExit()
            #expect(gzip.terminationStatus == 0)
        }
        return path
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

    /// What each customer's messages are, in their order.
    private func byKey(_ messages: [(key: String?, payload: String)]) -> [String?: [String]] {
        Dictionary(grouping: messages) { $0.key }.mapValues { $0.map(\.payload) }
    }

    private func expected(_ rows: [String]) -> [String?: [String]] {
        byKey(rows.map { (String($0.prefix { $0 != "," }), message($0)) })
    }

    @Test(arguments: ["readings.csv", "readings.csv.gz"])
    func publishesEveryRowAsItStandsInTheOrderOfItsCustomer(name: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let rows = rows(3000)
        let topic = try Topic()
        let producer = try topic.producer(["--replay", try file(rows, name: name), "--flat-out"])
        #expect(producer.status() == 0)
        #expect(producer.log.contains("finished: 3000 delivered, 0 not delivered"))
        let messages = try topic.messages(3000)
        #expect(byKey(messages.map { ($0.key, $0.payload) }) == expected(rows))
    }

    /// The partitions that Kafka's own clients choose; the hashes are those of UtilsTest.java in Apache Kafka.
    @Test func choosesThePartitionsThatOtherClientsChoose() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let hashes: [(id: String, murmur2: Int32)] = [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ]
        let topic = try Topic()
        let file = try file(hashes.map { "\($0.id),2020-01-01T00:00:00Z,70" })
        #expect(try topic.producer(["--replay", file, "--flat-out"]).status() == 0)
        for message in try topic.messages(hashes.count) {
            let hash = try #require(hashes.first { $0.id == message.key }).murmur2
            #expect(message.partition == (hash & Int32.max) % Int32(Topic.partitions), "\(message.key ?? "")")
        }
    }

    @Test func shiftsAllTimestampsByTheSameAmount() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let rows = ["a,2020-01-01T00:00:00.250+01:00,1", "a,2019-12-31T23:00:00.350Z,2", "a,2020-01-01T00:00:00Z,3"]
        let topic = try Topic()
        let before = Date.now
        let file = try file(rows)
        #expect(try topic.producer(["--replay", file, "--flat-out", "--shift-to-now"]).status() == 0)
        let times = try topic.messages(3).map { message in
            let text = try #require(message.payload.split(separator: "\"").first { $0.hasSuffix("+00:00") })
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            // Foundation keeps milliseconds.
            return try style.parse(text.prefix(23) + "Z")
        }
        #expect((before - 1...Date.now).contains(times[0]))
        #expect(abs(times[1].timeIntervalSince(times[0]) - 0.1) < 0.0015)
        #expect(abs(times[2].timeIntervalSince(times[0]) - 3599.75) < 0.0015)
    }

    @Test(arguments: [
        (["a,2020-01-01T00:00:00Z,1", "a,2020-01-01T00:00:01Z"], ":3: expected 3 fields"),
        (["a,2020-01-01T00:00:00Z,1", "a,2020-01-01T00:00:01Z,fast"], #":3: heart_rate "fast" is not an integer"#),
        (["a,2020-01-01T00:00:00Z,1", #"a,"2020-01-01T00:00:01Z",1"#], ":3: a quotation mark"),
        (["a,2020-01-01T00:00:00Z,1", "a,yesterday,1"], #":3: recorded_at "yesterday" is not a timestamp"#),
    ])
    func namesTheLineThatIsNoReadingAfterDeliveringThoseBeforeIt(rows: [String], problem: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let topic = try Topic()
        let path = try file(rows)
        let producer = try topic.producer(["--replay", path, "--speed", "1000"])
        #expect(producer.status() == 78)
        #expect(producer.log.contains("stopped by an error: 1 delivered, 0 not delivered"))
        #expect(producer.log.contains("heartbeat: " + path + problem))
        #expect(try topic.messages(1).map(\.payload) == [message(rows[0])])
    }

    @Test func deliversWhatIsLeftOfATruncatedGzipAndSaysSo() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let rows = rows(20_000)
        let path = try file(rows, name: "readings.csv.gz")
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
        let topic = try Topic()
        let producer = try topic.producer(["--replay", path, "--flat-out"])
        #expect(producer.status() == 78)
        #expect(producer.log.contains(": the gzip is truncated"))
        let delivered = try #require(deliveredCount(in: producer.log))
        #expect(delivered > 1000)
        let messages = try topic.messages(delivered)
        #expect(byKey(messages.map { ($0.key, $0.payload) }) == expected(Array(rows.prefix(delivered))))
    }

    @Test(arguments: ["", "heart_rate,customer_id,recorded_at\n", "a,2020-01-01T00:00:00Z,70\n"])
    func refusesAFileWithoutTheHeaderBeforeItAsksForKafka(text: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = try file([])
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let producer = try Program(["producer", "--replay", path])
        #expect(producer.status() == 78)
        #expect(producer.log == "heartbeat: \(path):1: expected the header customer_id,recorded_at,heart_rate\n")
    }

    /// With a queue for ten messages the loop has to wait most of the time; it waits when the broker is away, too.
    @Test(.enabled(if: Topic.cluster == nil)) func losesNothingWhenTheQueueIsFullAndTheBrokerAway() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let rows = rows(2000)
        let topic = try Topic()
        let producer = try topic.producer(
            ["--replay", try file(rows), "--flat-out"], ["RDKAFKA_QUEUE_BUFFERING_MAX_MESSAGES": "10"])
        _ = try eventually { producer.log.contains("ready") ? true : nil }
        try topic.broker?.tell("down")
        usleep(300_000)
        try topic.broker?.tell("up")
        #expect(producer.status() == 0)
        #expect(producer.log.contains("finished: 2000 delivered, 0 not delivered"))
        // The embedded broker does not know an idempotent producer's retry: there, a message may come twice.
        let found = Set(try topic.messages(2000).map(\.payload))
        #expect(found == Set(rows.map(message)))
    }
}

/// The number in the last sentence.
func deliveredCount(in log: String) -> Int? {
    guard let match = log.firstMatch(of: /: (\d+) delivered, \d+ not delivered/) else { return nil }
    return Int(match.1)
}
