import Bytes
import Daemon
import HeartRate
import Kafka
import Logging
import Zlib

/// How a file of recorded readings is sent.
public struct ReplayPlan: Sendable {
    let path: String
    let speed: Double?
    let shiftsToNow: Bool
    let skipsInvalid: Bool

    /// - Parameters:
    ///   - speed: how many times as fast as it was recorded; nil without pace.
    ///   - shiftsToNow: whether all times move by one amount. Else each is published byte for byte.
    ///   - skipsInvalid: whether rows that the consumer would reject are left out. Else such a file is refused.
    public init(path: String, speed: Double?, shiftsToNow: Bool, skipsInvalid: Bool) {
        self.path = path
        self.speed = speed
        self.shiftsToNow = shiftsToNow
        self.skipsInvalid = skipsInvalid
    }
}

/// A file of recorded readings. It is read once before the first row is sent, so that a file that is refused was not sent in
/// part, and a second time to send it.
struct Replay: ~Copyable {
    private let plan: ReplayPlan
    private let file: RecordedFile
    private let columns: RecordedColumns
    private let summary: Summary
    private var encoder = RowEncoder()
    private var decoder = ReadingDecoder()

    /// Reads the file.
    ///
    /// - Returns: nil when it was asked to stop before it had read all.
    /// - Throws: `CommandFailure` that names file and line when it is no such file, or has rows that are not to be skipped.
    init?(_ plan: ReplayPlan, _ service: Service) throws(CommandFailure) {
        let loop = service.loop("file")
        defer { service.end(loop) }
        guard let file = try RecordedFile.open(path: plan.path, (service.stop, loop)) else { return nil }
        var check = ReplayCheck(plan)
        guard let (columns, summary) = try check.read(file, service, loop: loop) else { return nil }
        self.plan = plan
        self.file = file
        self.columns = columns
        self.summary = summary
    }

    /// Publishes the rows in their order until the end of the file or until it is asked to stop.
    ///
    /// - Throws: `CommandFailure` that names file and line when it is no longer the file that it was; `KafkaError` when
    ///   librdkafka cannot go on.
    mutating func run(_ publisher: inout Publisher, telling progress: TerminalProgress) throws -> Publisher.End {
        var number = 0
        var splitter = CSVSplitter()
        do {
            var lines = try file.lines()
            while let line = try lines.next() {
                number += 1
                if number % 1000 == 0 { progress.tell("\(number) of \(summary.rows) rows") }
                if number == 1 || isBlank(line) { continue }
                guard try publish(line, splitBy: &splitter, to: &publisher) else { return .stopped }
            }
            return .finished
        } catch let error as RowProblem {
            throw CommandFailure(.config, "\(plan.path):\(number): the file has changed: \(error)")
        } catch let error as GzipError {
            throw CommandFailure(.config, "\(plan.path):\(number + 1): the file has changed: \(error.cause)")
        }
    }

    /// - Returns: false when it was asked to stop; then the row is not sent.
    private mutating func publish(
        _ line: Span<UInt8>, splitBy splitter: inout CSVSplitter, to publisher: inout Publisher
    ) throws -> Bool {
        let row: RecordedRow
        do throws(RowProblem) {
            row = try RecordedRow(try splitter.split(line), columns)
            if summary.invalid > 0 {
                let sentAt = summary.sentAt(row, plan, from: publisher.startOfDay)
                try decoder.judge(row, sentAt: sentAt, encoder: &encoder)
            }
        } catch {
            guard error == .noHeartRate || plan.skipsInvalid else { throw error }
            return true
        }
        return try publish(row, &publisher)
    }

    private mutating func publish(_ row: borrowing RecordedRow, _ publisher: inout Publisher) throws -> Bool {
        // Without pace and shift a row's time is published without a look at it.
        guard plan.speed != nil || plan.shiftsToNow else { return try send(row, at: row.recordedAt, &publisher) }
        guard let moment = Instant(iso8601: row.recordedAt) else {
            throw RowProblem.recordedAt(RecordedRow.text(row.recordedAt))
        }
        let passed = moment.microsecondsSince1970 - summary.first.microsecondsSince1970
        if let speed = plan.speed {
            guard try publisher.wait(until: dueTime(after: passed, speed: speed)) else { return false }
        }
        guard plan.shiftsToNow else { return try send(row, at: row.recordedAt, &publisher) }
        let shifted = publisher.startOfDay.advanced(byMicroseconds: passed - summary.lead(plan.speed))
        return try send(row, at: ISO8601Text(shifted).utf8, &publisher)
    }

    private mutating func send(
        _ row: borrowing RecordedRow, at time: Span<UInt8>, _ publisher: inout Publisher
    ) throws(KafkaError) -> Bool {
        try publisher.publish(key: row.customerID.raw, value: encoder.encode(row, recordedAt: time))
    }
}

/// Whether a line says nothing: it has nothing but spaces and tabs, or is Ctrl-Z, with which DOS ended its files.
func isBlank(_ line: Span<UInt8>) -> Bool {
    if line.count == 1, line[0] == 0x1A { return true }
    for place in line.indices {
        guard line[place] == UInt8(ascii: " ") || line[place] == UInt8(ascii: "\t") else { return false }
    }
    return true
}

/// How many bytes of a file's first line are a byte order mark.
func markLength(_ line: Span<UInt8>) -> Int {
    line.count >= 3 && line[0] == 0xEF && line[1] == 0xBB && line[2] == 0xBF ? 3 : 0
}

/// When a row is due, by the microseconds between it and the first one, in nanoseconds since the start.
///
/// Computed from the start, not from the row before, so that nothing drifts.
func dueTime(after microseconds: Int64, speed: Double) -> Int64 {
    // 2^62 ns are 146 years, which a file with two distant dates can ask for.
    Int64(min(max(Double(microseconds) * 1000 / speed, -0x1p62), 0x1p62))
}
