import Foundation
import Logging
import Synchronization
import Testing

@testable import Daemon

@Suite struct LoggingTests {
    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogLine {
        LogLine(level: .info, label: "consumer", message: message, metadata: metadata)
    }

    @Test("a line has time level label text and fields")
    func textFields() {
        let line = line("assigned", ["KAFKA_TOPIC": "a b", "kafka-partition": "3", "EMPTY": "", "Q": "x\"y"])
        #expect(
            line.text(at: 1_795_341_600_123_999)
                == #"2026-11-22T10:00:00.123Z info consumer: assigned EMPTY="" KAFKA_PARTITION=3 KAFKA_TOPIC="a b" Q="x\"y""#
        )
    }

    @Test("a hostile text cannot forge a line")
    func forgeLine() {
        let hostile = "x\n2026-11-22T10:00:00.000Z error consumer: forged\r\u{1b}[2J\u{202e}\u{2028}\0"
        let line = line(hostile, ["ID": .string(hostile)])
        let escaped = #"x\n2026-11-22T10:00:00.000Z error consumer: forged\u{d}\u{1b}[2J\u{202e}\u{2028}\u{0}"#
        #expect(line.text(at: 0) == "1970-01-01T00:00:00.000Z info consumer: \(escaped) ID=\"\(escaped)\"")
        let fields = line.journalFields(identifier: "heartbeat-consumer")
        #expect(fields.filter { ["MESSAGE", "ID"].contains($0.name) }.map(\.value) == [escaped, escaped])
    }

    @Test("a quoted value ends at its own quotation mark, whatever is in it")
    func quotedValues() {
        let line = line("x", ["A": "a b\\", "B": #"\" C=1"#, "C": #"plain\"#])
        #expect(line.text(at: 0).hasSuffix(#" consumer: x A="a b\\" B="\\\" C=1" C=plain\"#))
    }

    @Test("an entry has the journal's own fields")
    func entry() {
        let fields = line("assigned", ["KAFKA_PARTITION": "3"]).journalFields(identifier: "heartbeat-consumer")
        #expect(
            fields.map { "\($0.name)=\($0.value)" } == [
                "MESSAGE=assigned", "PRIORITY=6", "SYSLOG_IDENTIFIER=heartbeat-consumer",
                "HEARTBEAT_COMPONENT=consumer", "KAFKA_PARTITION=3",
            ])
    }

    @Test(
        "priority",
        arguments: [
            (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
        ])
    func priorityPriority(level: Logger.Level, priority: Int) {
        #expect(LogLine(level: level, label: "", message: "", metadata: [:]).priority == priority)
    }

    @Test(
        arguments: [
            ("KAFKA_PARTITION", "KAFKA_PARTITION"), ("kafka.partition", "KAFKA_PARTITION"), ("_PID", "PID"),
            ("9a", "A"),
            ("", nil), ("_1", nil), (String(repeating: "a", count: 70), String(repeating: "A", count: 64)),
        ] as [(String, String?)])
    func fieldName(key: String, name: String?) {
        #expect(LogLine.fieldName(key) == name)
    }

    @Test("an event's metadata overrides the logger's")
    func loggers() {
        let written = Mutex<[String]>([])
        var logger = Logger(label: "a") { label in
            LineHandler(label: label) { line in written.withLock { $0.append(line.text(at: 0)) } }
        }
        logger[metadataKey: "A"] = "1"
        logger[metadataKey: "B"] = "1"
        logger.error("text", metadata: ["B": "2"])
        #expect(written.withLock { $0 } == ["1970-01-01T00:00:00.000Z error a: text A=1 B=2"])
    }

    /// The level is the process's, so it is changed in a process of its own.
    @Test("loggers that exist follow the level")
    func followLevel() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            startLogging(level: .warning)
            let logger = Logger(label: "consumer")
            var own = Logger(label: "own")
            own.logLevel = .error
            logger.info("first")
            logger.warning("second")
            setLogLevel(.debug)
            logger.debug("third")
            own.warning("fourth")
            startLogging(level: .error)
            logger.warning("fifth")
        }
        let lines = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
        #expect(
            lines.compactMap { $0.wholeMatch(of: /[-0-9T:.]{23}Z ([a-z]+ consumer: .*)/)?.output.1 } == [
                "warning consumer: second", "debug consumer: third",
            ])
        #expect(!lines.contains { $0.contains("own") })
    }

    @Test("lines of many threads do not mix")
    func mix() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            startLogging(level: .info)
            let threads = try (0..<8).map { number in
                try WorkThread(name: "writer") {
                    let logger = Logger(label: "writer")
                    let text = String(repeating: "\(number)", count: 1000)
                    for _ in 0..<100 { logger.info("\(text)") }
                }
            }
            for thread in threads { thread.join() }
        }
        let lines = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
        let whole = lines.filter { $0.wholeMatch(of: /[-0-9T:.]{23}Z info writer: (.)\1{999}/) != nil }
        #expect(whole.count == 800)
    }
}
