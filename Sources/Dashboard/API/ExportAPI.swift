internal import Daemon
import HTTPService
import Hummingbird
internal import HTTPTypes
internal import NIOCore
internal import PostgreSQL

/// Every reading of one customer in a range, as a file.
extension API {
    func addExports(to routes: RouterGroup<Viewer>) {
        routes.get("readings.csv") { request, _ in try await export(.csv, request) }
        routes.get("readings.json") { request, _ in try await export(.json, request) }
    }

    private func export(_ file: ReadingsFile, _ request: Request) async throws -> Response {
        let query = try QueryParameters(request, "customer_id", "from", "until")
        let id = try query.customer()
        let range = try query.range(now: wallClockMicroseconds())
        let headers: HTTPFields = [
            .contentType: file.type, .cacheControl: "no-store",
            .contentDisposition: "attachment; filename=\"\(Self.fileName(id)).\(file.suffix)\"",
        ]
        if request.method == .head { return Response(status: .ok, headers: headers) }
        let place = try exports.take()
        let first = try await part(of: id, in: range)
        let body = ResponseBody { writer in
            defer { place.leave() }
            try await writer.write(ByteBuffer(string: file.begin + file.text(first.items, isFirst: true)))
            var isFirst = first.items.isEmpty
            var rest = first.rest
            while let range = rest {
                // An error here ends the connection in the middle of a chunk, which no client takes for the end.
                let part = try await part(of: id, in: range)
                if !part.items.isEmpty {
                    try await writer.write(ByteBuffer(string: file.text(part.items, isFirst: isFirst)))
                    isFirst = false
                }
                rest = part.rest
            }
            if !file.end.isEmpty { try await writer.write(ByteBuffer(string: file.end)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private func part(of id: CustomerKey, in range: TimeRange) async throws -> ReadingsPart {
        try await ask { connection throws(PostgreSQLError) in try ReadingsPart(of: id, in: range, connection) }
    }

    /// What is harmless in a header and in every file system.
    private static func fileName(_ id: CustomerKey) -> String {
        let safe = id.text.utf8.map { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "_")
        }
        return "heartbeat-" + String(decoding: safe, as: UTF8.self)
    }
}
