import HTTPService
import Hummingbird
internal import Daemon
internal import HTTPTypes
internal import NIOCore
internal import PostgreSQL

/// What happened in a time, for who takes over.
extension API {
    func addReport(to routes: RouterGroup<Viewer>) {
        routes.get("report", use: report)
        routes.get("report.csv", use: reportCSV)
    }

    @Sendable private func report(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (range, report) = try await asked(request)
        let alarms = report.alarms.reduce(0) { $0 + $1.alarms }
        let hours = Double(report.watchedSeconds) / 3600 * Double(report.customers)
        return try .json(
            json(
                ReportReply(
                    from: .reading(range.from), until: .reading(range.until), customers: report.customers,
                    alarms: alarms, alarmsByKind: report.alarms,
                    alarmsPerCustomerHour: hours > 0 ? Double(alarms) / hours : nil,
                    isTruncated: report.items.count == Report.mostCustomers, items: report.items,
                    notes: report.notes)), to: request)
    }

    @Sendable private func reportCSV(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (_, report) = try await asked(request)
        var text =
            "customer_id,episodes,high,medium,low,unseen,longest_seconds,median_seconds_to_acknowledge,"
            + "seconds_without_signal,lowest,median,highest\r\n"
        for item in report.items {
            let numbers: [Int64?] = [
                item.episodes, item.high, item.medium, item.low, item.unseen, item.longestSeconds,
                item.medianSecondsToAcknowledge, item.secondsWithoutSignal, item.lowest, item.median, item.highest,
            ]
            text += ReadingsFile.quoted(item.customerId.text) + ","
            text += numbers.map { $0.map(String.init) ?? "" }.joined(separator: ",") + "\r\n"
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"heartbeat-report.csv\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func asked(_ request: Request) async throws -> (TimeRange, Report) {
        let query = try QueryParameters(request, "customer_id", "group", "from", "until")
        let (customer, group) = (try query.namedCustomer(), try query.group())
        let range = try query.range(now: wallClockMicroseconds(), atMost: 31)
        let report = try await ask { connection throws(PostgreSQLError) in
            try Report(of: customer, group: group, in: range, connection)
        }
        guard report.items.count <= Report.mostRates else { return (range, report) }
        // Very many readings take longer than anybody waits: a report without rates is better than none.
        let complete = try? await ask { connection throws(PostgreSQLError) in
            var report = report
            try report.addRates(in: range, connection)
            return report
        }
        return (range, complete ?? report)
    }
}
