import Foundation
import Harness
import HeartRate
import Testing

/// The whole program, from a file to Kafka and back.
@Suite(.ownFolder, .logsOnFailure) struct ReplayTests {
    /// Writes a file of recorded readings, packed when its name says so.
    private func file(
        _ rows: [String], name: String = "readings.csv", header: String = "customer_id,recorded_at,heart_rate"
    ) throws -> String {
        let folder = try TestFolder.required()
        let text = ([header] + rows).map { $0 + "\n" }.joined()
        guard name.hasSuffix(".gz") else { return try folder.write(name, text) }
        let plain = try folder.write(String(name.dropLast(3)), text)
        let gzip = try Process.run(URL(filePath: "/usr/bin/env"), arguments: ["gzip", plain])
        gzip.waitUntilExit()
        #expect(gzip.terminationStatus == 0)
        return plain + ".gz"
    }

    private func rows(_ count: Int) -> [String] {
        (0..<count).map { number in
            let time = "00:\(twoDigits(number / 60 % 60)):\(twoDigits(number % 60)).5Z"
            return "cust-\(number % 7),2020-01-01T\(time),\(1 + number % 299)"
        }
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

    @Test("shifts all timestamps by the same amount, at most up to the moment at which they are sent")
    func amount() async throws {
        let rows = ["a,2020-01-01T00:00:00.250+01:00,1", "a,2019-12-31T23:00:00.350Z,2", "a,2020-01-01T00:00:00Z,3"]
        let broker = try await TestBroker()
        let before = Date.now
        #expect(
            try await broker.runProducer(["--replay", try file(rows), "--flat-out", "--shift-to-now"]).end
                == .exited(0))
        let times = try await broker.messagesByKey()["a", default: []].map { try microseconds(of: $0) }
        let last = try #require(times.last)
        #expect((before...Date.now).contains(Date(timeIntervalSince1970: Double(last) / 1e6)))
        #expect(times.map { $0 - last } == [-3_599_750_000, -3_599_650_000, 0])
    }

    @Test("what many tools write is taken")
    func tools() async throws {
        let rows = [
            #"61.0,"a","2020-01-01T00:00:00Z""#, ",a,2020-01-01T00:00:01Z", "62,a,2020-01-01T00:00:02Z\r", "", "\r",
            " \t", "\u{1A}",
        ]
        let path = try file(rows, header: "\u{FEFF}heart_rate,customer_id,recorded_at\r")
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--replay", path, "--flat-out"])
        #expect(producer.end == .exited(0))
        #expect(producer.log.contains("\(path): 1 of 3 rows have no heart rate and are left out\n"))
        #expect(producer.log.contains("finished: 2 delivered, 0 not delivered\n"))
        let expected = ["a,2020-01-01T00:00:00Z,61", "a,2020-01-01T00:00:02Z,62"].map(message)
        #expect(try await broker.messagesByKey() == ["a": expected])
    }

    @Test("Ctrl-Z may stand right behind the last row")
    func controlZ() async throws {
        let row = "a,2020-01-01T00:00:00Z,61"
        let path = try TestFolder.required().write(
            "readings.csv", "customer_id,recorded_at,heart_rate\n\(row)\u{1A}")
        let broker = try await TestBroker()
        #expect(try await broker.runProducer(["--replay", path, "--flat-out"]).end == .exited(0))
        #expect(try await broker.messagesByKey() == ["a": [message(row)]])
    }

    private static let good = "a,2020-01-01T00:00:00Z,1"

    @Test(
        "names the line that the consumer would reject, and sends nothing; or leaves such lines out",
        arguments: [
            ("a,2020-01-01T00:00:01Z", "expected 3 fields, found 2"),
            ("a,2020-01-01T00:00:01Z,fast", #"heart_rate "fast" is not a whole number"#),
            (#"a,"2020-01-01T00:00:01Z"",1"#, "a quotation mark is missing"),
            ("a,4/12/2016 7:21:00 AM,1", #"recorded_at "4/12/2016 7:21:00 AM" is not a time with an offset"#),
            ("a,2999-01-01T00:00:00Z,1", "future_timestamp: "),
            ("a,2020-01-01T00:00:01Z,300", "out_of_range: heart_rate is 300, expected 1 to 299"),
            (",2020-01-01T00:00:01Z,70", "id_empty: "),
        ])
    func refuses(row: String, problem: String) async throws {
        let broker = try await TestBroker()
        let path = try file([Self.good, row])
        let producer = try await broker.runProducer(["--replay", path, "--flat-out"])
        #expect(producer.end == .exited(78))
        #expect(producer.log.contains("heartbeat: \(path):3: \(problem)"))
        #expect(producer.log.contains("; 1 of 2 rows cannot be stored, and nothing was sent"))
        #expect(try await broker.messagesByKey().isEmpty)

        let skipping = try await broker.runProducer(["--replay", path, "--flat-out", "--skip-invalid"])
        #expect(skipping.end == .exited(0))
        #expect(skipping.log.contains("\(path):3: \(problem)"))
        #expect(skipping.log.contains("finished: 1 delivered, 0 not delivered\n"))
        #expect(try await broker.messagesByKey() == ["a": [message(Self.good)]])
    }

    @Test("sends nothing of a truncated gzip and says so")
    func says() async throws {
        let path = try file(rows(20_000), name: "readings.csv.gz")
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--replay", path, "--flat-out"])
        #expect(producer.end == .exited(78))
        #expect(producer.log.contains(": the gzip is truncated; nothing was sent\n"))
        #expect(try await broker.messagesByKey().isEmpty)
    }

    @Test("holds a pipe back until its end is known to be sound", arguments: [false, true])
    func pipe(isSound: Bool) async throws {
        let rows = rows(3000) + (isSound ? [] : ["a,b"])
        let path = try file(rows)
        let pipe = try TestFolder.required().path + "/pipe"
        try await shell("mkfifo '\(pipe)'")
        let writer = Task { try await shell("cat '\(path)' > '\(pipe)'") }
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--replay", pipe, "--flat-out"])
        _ = try await writer.value
        #expect(producer.end == .exited(isSound ? 0 : 78))
        #expect(try await broker.messagesByKey() == (isSound ? expected(rows) : [:]))
        if !isSound { #expect(producer.log.contains("heartbeat: \(pipe):3002: expected 3 fields, found 2")) }
    }

    @Test(
        "refuses a file without the header before it asks for Kafka",
        arguments: ["", "heart_rate,customer_id\n", "a,2020-01-01T00:00:00Z,70\n"])
    func kafka(text: String) async throws {
        let path = try TestFolder.required().write("readings.csv", text)
        let producer = try await Heartbeat.run(["producer", "--replay", path], [:])
        #expect(producer.end == .exited(78))
        #expect(
            producer.log
                == "heartbeat: \(path):1: expected a header with the names customer_id,recorded_at,heart_rate\n")
    }

    private func microseconds(of message: String) throws -> Int64 {
        var decoder = ReadingDecoder()
        let now = Instant(microsecondsSince1970: Int64(Date.now.timeIntervalSince1970 * 1e6))
        let limits = DecodingLimits(maximumClockSkew: .hours(2))
        return try decoder.decode(Array(message.utf8).span.bytes, receivedAt: now, limits: limits)
            .recordedAt.microsecondsSince1970
    }
}
