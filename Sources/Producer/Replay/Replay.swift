import Bytes
import Daemon
import HeartRate
import Kafka
import Zlib

/// A file of recorded readings, as `RecordedRow` has them; a gzip or not.
struct Replay: ~Copyable {
    private var lines: LineReader
    private var rows: RecordedRows

    /// Opens the file and looks at its header.
    ///
    /// - Parameters:
    ///   - speed: how many times as fast as it was recorded; nil without pace.
    ///   - shiftsToNow: whether all timestamps move by one amount, so that the first one is now. Else each is published
    ///     byte for byte.
    /// - Throws: `CommandFailure` when it is no such file.
    init(path: String, speed: Double?, shiftsToNow: Bool) throws(CommandFailure) {
        lines = try Self.open(path)
        rows = RecordedRows(speed: speed, shiftsToNow: shiftsToNow)
    }

    /// Publishes the rows in their order until the end of the file or until it is asked to stop.
    ///
    /// - Throws: `CommandFailure` that names file and line; `KafkaError` when librdkafka cannot go on.
    mutating func run(_ publisher: inout Publisher) throws -> Publisher.End {
        do {
            while let line = try lines.next() {
                guard try rows.publish(line, &publisher) else { return .stopped }
            }
            return .finished
        } catch let error as RecordedRow.Problem {
            throw CommandFailure(.config, "\(lines.path):\(lines.lineNumber): \(error)")
        } catch let error as GzipError {
            throw CommandFailure(.config, "\(lines.path):\(lines.lineNumber + 1): \(error.cause)")
        }
    }

    private static func open(_ path: String) throws(CommandFailure) -> LineReader {
        do throws(GzipError) {
            var lines = try LineReader(path: path)
            if try takesHeader(from: &lines) { return lines }
        } catch {
            throw CommandFailure(.config, error.description)
        }
        throw CommandFailure(.config, "\(path):1: expected the header \(RecordedRow.header)")
    }

    private static func takesHeader(from lines: inout LineReader) throws(GzipError) -> Bool {
        guard let line = try lines.next() else { return false }
        return RecordedRow.text(line) == RecordedRow.header
    }
}

/// Publishes recorded rows, one after the other, at the pace at which they were recorded or without any.
private struct RecordedRows: ~Copyable {
    let speed: Double?
    let shiftsToNow: Bool
    private var encoder = RowEncoder()
    /// The first row's time; nil before it was read.
    private var first: Instant?

    init(speed: Double?, shiftsToNow: Bool) {
        self.speed = speed
        self.shiftsToNow = shiftsToNow
    }

    /// - Returns: false when it was asked to stop; then the row is not sent.
    mutating func publish(_ line: Span<UInt8>, _ publisher: inout Publisher) throws -> Bool {
        let row = try RecordedRow(parsing: line)
        // Without a look at the time a file is published whatever its timestamps are.
        guard speed != nil || shiftsToNow else {
            return try publish(row, recordedAt: row.recordedAt, &publisher)
        }
        let passed = try microseconds(until: row.recordedAt)
        if let speed {
            guard try publisher.wait(until: dueTime(after: passed, speed: speed)) else { return false }
        }
        guard shiftsToNow else { return try publish(row, recordedAt: row.recordedAt, &publisher) }
        let text = ISO8601Text(publisher.startOfDay.advanced(byMicroseconds: passed))
        return try publish(row, recordedAt: text.utf8, &publisher)
    }

    private mutating func publish(
        _ row: borrowing RecordedRow, recordedAt: Span<UInt8>, _ publisher: inout Publisher
    ) throws(KafkaError) -> Bool {
        try publisher.publish(key: row.customerID.raw, value: encoder.encode(row, recordedAt: recordedAt))
    }

    /// Since the first row; negative in a file that is not in the order of time.
    private mutating func microseconds(until recordedAt: Span<UInt8>) throws(RecordedRow.Problem) -> Int64 {
        guard let moment = Instant(iso8601: recordedAt) else { throw .recordedAt(RecordedRow.text(recordedAt)) }
        let start = first ?? moment
        first = start
        return moment.microsecondsSince1970 - start.microsecondsSince1970
    }
}

/// When a row is due, by the microseconds between it and the first one, in nanoseconds since the start.
///
/// Computed from the start, not from the row before, so that nothing drifts.
func dueTime(after microseconds: Int64, speed: Double) -> Int64 {
    // 2^62 ns are 146 years, which a file with two distant dates can ask for.
    Int64(min(max(Double(microseconds) * 1000 / speed, -0x1p62), 0x1p62))
}
