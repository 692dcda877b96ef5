public import Hummingbird
internal import FoundationEssentials
internal import HTTPTypes
public import NIOCore
internal import Zlib

/// An answer's bytes, with names in snake_case.
public func json(_ value: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return ByteBuffer(bytes: try encoder.encode(value))
}

extension Response {
    /// JSON, packed when it is worth it.
    public static func json(_ body: ByteBuffer, to request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: "application/json", .cacheControl: "no-store", .vary: "Accept-Encoding",
        ]
        var body = body
        if body.readableBytes > 1400, acceptsGzip(request), let packed = gzip(Array(body.readableBytesView), level: 1) {
            headers[.contentEncoding] = "gzip"
            body = ByteBuffer(bytes: packed)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

/// Whether the client reads gzip.
public func acceptsGzip(_ request: Request) -> Bool {
    (request.headers[.acceptEncoding] ?? "").split(separator: ",").contains { coding in
        let words = coding.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
        return words.first == "gzip"
            && !words.dropFirst().contains { $0 == "q=0" || $0.hasPrefix("q=0.0") && Double($0.dropFirst(2)) == 0 }
    }
}
