import Bytes
import Daemon
import HeartRate
import Logging
import Zlib

extension Replay {
    /// What the first reading of a file found.
    struct Summary {
        var rows = 0
        /// Rows without a heart rate, which are left out.
        var empty = 0
        /// Rows that the consumer would reject.
        var invalid = 0
        /// The time of the first row.
        var first = Instant.earliest
        /// The latest time of all.
        var latest = Instant.earliest

        /// When a row is sent, for a start at this moment.
        func sentAt(_ row: borrowing RecordedRow, _ plan: ReplayPlan, from start: Instant) -> Instant {
            // Shifted times are never later than the moment at which they are sent.
            if plan.shiftsToNow { return .latest }
            guard let speed = plan.speed, let moment = Instant(iso8601: row.recordedAt) else { return start }
            let passed = moment.microsecondsSince1970 - first.microsecondsSince1970
            return start.advanced(byMicroseconds: dueTime(after: passed, speed: speed) / 1000)
        }

        /// By how much the first row's shifted time is before the start, in microseconds: so much that no row's time is
        /// later than the moment at which it is sent.
        func lead(_ speed: Double?) -> Int64 {
            let length = latest.microsecondsSince1970 - first.microsecondsSince1970
            guard let speed else { return length }
            return max(0, length - dueTime(after: length, speed: speed) / 1000)
        }
    }
}

/// The first reading of a file, before anything is sent.
struct ReplayCheck: ~Copyable {
    private let plan: ReplayPlan
    private let start = Instant(microsecondsSince1970: wallClockMicroseconds())
    private var encoder = RowEncoder()
    private var decoder = ReadingDecoder()
    private var summary = Replay.Summary()
    private var firstInvalid: (line: Int, problem: RowProblem)?

    init(_ plan: ReplayPlan) { self.plan = plan }

    /// - Returns: nil when it was asked to stop.
    /// - Throws: `CommandFailure` that names file and line when it cannot be read, has no header, or has rows that are
    ///   refused.
    mutating func read(
        _ file: borrowing RecordedFile, _ service: Service, loop: WorkLoop
    ) throws(CommandFailure) -> (RecordedColumns, Replay.Summary)? {
        var number = 0
        var columns: RecordedColumns?
        var splitter = CSVSplitter()
        do throws(GzipError) {
            var lines = try file.lines()
            while let line = try lines.next() {
                number += 1
                if number % 10_000 == 0 {
                    loop.progressed()
                    if service.stop.isRequested { return nil }
                }
                if let columns {
                    if !isBlank(line) { take(line, number: number, splitBy: &splitter, columns: columns) }
                } else {
                    columns = header(line, &splitter)
                    if columns == nil { break }
                }
            }
        } catch {
            let place = number > 0 ? ":\(number + 1)" : ""
            throw CommandFailure(.config, "\(plan.path)\(place): \(error.cause); nothing was sent")
        }
        guard let columns else {
            let names = RecordedColumns.names.joined(separator: ",")
            throw CommandFailure(.config, "\(plan.path):1: expected a header with the names \(names)")
        }
        try report(service)
        return (columns, summary)
    }

    private func header(_ line: Span<UInt8>, _ splitter: inout CSVSplitter) -> RecordedColumns? {
        guard let fields = try? splitter.split(line.extracting(droppingFirst: markLength(line))) else { return nil }
        return RecordedColumns(header: (0..<fields.count).map { RecordedRow.text(fields[$0]) })
    }

    private mutating func take(
        _ line: Span<UInt8>, number: Int, splitBy splitter: inout CSVSplitter, columns: RecordedColumns
    ) {
        summary.rows += 1
        do throws(RowProblem) {
            try judge(RecordedRow(try splitter.split(line), columns))
        } catch .noHeartRate {
            summary.empty += 1
        } catch {
            summary.invalid += 1
            if firstInvalid == nil { firstInvalid = (number, error) }
        }
    }

    private mutating func judge(_ row: borrowing RecordedRow) throws(RowProblem) {
        guard let moment = Instant(iso8601: row.recordedAt) else {
            throw .recordedAt(RecordedRow.text(row.recordedAt))
        }
        if summary.first == .earliest { summary.first = moment }
        summary.latest = max(summary.latest, moment)
        try decoder.judge(row, sentAt: summary.sentAt(row, plan, from: start), encoder: &encoder)
    }

    /// Refuses the file, or says what is left out of it.
    private func report(_ service: Service) throws(CommandFailure) {
        if summary.empty > 0 {
            service.logger.notice(
                "\(plan.path): \(summary.empty) of \(summary.rows) rows have no heart rate and are left out")
        }
        guard let firstInvalid else { return }
        let sentence = "\(plan.path):\(firstInvalid.line): \(firstInvalid.problem)"
        let count = "\(summary.invalid) of \(summary.rows) rows cannot be stored"
        guard plan.skipsInvalid else {
            throw CommandFailure(
                .config, "\(sentence); \(count), and nothing was sent", hint: "--skip-invalid leaves such rows out")
        }
        service.logger.warning("\(sentence); \(count) and are left out")
    }
}
