import HTTPService
import Hummingbird
internal import FoundationEssentials
internal import HTTPTypes
internal import NIOCore
internal import Zlib

/// A file that browsers get as it is: packed once, not for each of them.
struct Asset: Sendable {
    private let plain: ByteBuffer
    private let packed: ByteBuffer?
    private let type: String
    private let tag: String

    init(_ bytes: [UInt8], type: String) {
        plain = ByteBuffer(bytes: bytes)
        let packed = gzip(bytes, level: 9)
        self.packed = packed.flatMap { $0.count < bytes.count ? ByteBuffer(bytes: $0) : nil }
        self.type = type
        // Weak, since it is the same for the packed and the plain bytes.
        tag = "W/\"\(bytes.count)-\(String(crc32(of: bytes), radix: 16))\""
    }

    /// The file, or that the browser has it already.
    ///
    /// - Parameter isForGood: whether the address will never have anything else.
    func response(to request: Request, isForGood: Bool = false) -> Response {
        var headers: HTTPFields = [
            .contentType: type, .cacheControl: isForGood ? "max-age=31536000, immutable" : "no-cache", .eTag: tag,
            .vary: "Accept-Encoding",
        ]
        if let known = request.headers[.ifNoneMatch], known.contains(tag) {
            return Response(status: .notModified, headers: headers)
        }
        guard let packed, acceptsGzip(request) else {
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: plain))
        }
        headers[.contentEncoding] = "gzip"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: packed))
    }

    /// The type of a file by the end of its name; nil for a file that is not served.
    static func type(of name: String) -> String? {
        let types = [
            "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
            "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png",
            "ico": "image/vnd.microsoft.icon", "json": "application/json",
        ]
        return name.split(separator: ".").last.flatMap { types[String($0)] }
    }
}

/// The page's files.
struct Assets: Sendable {
    private let files: [String: Asset]
    private let chart: Asset?
    private let directory: String?
    /// A folder in the addresses of the files, which differs as soon as one of them does; nil when they may change.
    let version: String?

    /// - Parameters:
    ///   - directory: serves files from there, as they are at each request; nil serves those in the program.
    ///   - chartJS: the file of Chart.js.
    init(directory: String?, chartJS: String) {
        self.directory = directory
        let bytes = Dictionary(uniqueKeysWithValues: PageFile.all.map { ($0.name, $0.bytes) })
        let chart = FileManager.default.contents(atPath: chartJS).map { Array($0) }
        let all = bytes.sorted { $0.key < $1.key }.map(\.value) + [chart ?? []]
        let version = String(all.reduce(0) { ($0 &+ UInt64(crc32(of: $1))) &* 0x100_0000_01b3 }, radix: 36)
        self.version = directory == nil ? version : nil
        files = bytes.reduce(into: [:]) { files, file in
            files[file.key] = Self.asset(file.key, file.value, version: version) { bytes[$0] }
        }
        self.chart = chart.map { Asset($0, type: "text/javascript; charset=utf-8") }
    }

    /// Whether Chart.js is there.
    var hasChart: Bool { chart != nil }

    /// A file by its folder, if it is in one, and its name.
    func asset(_ parts: [String]) -> Asset? {
        if parts == ["chart.min.js"] { return chart }
        // A name from outside must not lead out of the page's directory.
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") })
        else { return nil }
        let path = parts.joined(separator: "/")
        guard let directory else { return files[path] }
        func bytes(_ path: String) -> [UInt8]? {
            FileManager.default.contents(atPath: directory + "/" + path).map { Array($0) }
        }
        return bytes(path).flatMap { Self.asset(path, $0, version: nil, including: bytes) }
    }

    private static func asset(
        _ name: String, _ bytes: [UInt8], version: String?, including file: @escaping (String) -> [UInt8]?
    ) -> Asset? {
        guard let type = Asset.type(of: name) else { return nil }
        guard name.hasSuffix(".html") else { return Asset(bytes, type: type) }
        let page = HTMLPage(version: version) { name in file(name).map { String(decoding: $0, as: UTF8.self) } }
        return Asset(Array(page.complete(String(decoding: bytes, as: UTF8.self)).utf8), type: type)
    }
}
