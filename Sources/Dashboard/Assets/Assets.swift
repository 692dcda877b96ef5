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
    func response(to request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: type, .cacheControl: "no-cache", .eTag: tag, .vary: "Accept-Encoding",
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

    /// - Parameters:
    ///   - directory: serves files from there, as they are at each request; nil serves those in the program.
    ///   - chartJS: the file of Chart.js.
    init(directory: String?, chartJS: String) {
        self.directory = directory
        files = Dictionary(
            uniqueKeysWithValues: PageFile.all.compactMap { file in
                Asset.type(of: file.name).map { (file.name, Asset(file.bytes, type: $0)) }
            })
        chart = FileManager.default.contents(atPath: chartJS).map {
            Asset(Array($0), type: "text/javascript; charset=utf-8")
        }
    }

    /// Whether Chart.js is there.
    var hasChart: Bool { chart != nil }

    /// A file by its name, which has no folder in it.
    func asset(_ name: String) -> Asset? {
        if name == "chart.min.js" { return chart }
        guard let directory else { return files[name] }
        guard !name.contains("/"), !name.hasPrefix("."), let type = Asset.type(of: name),
            let data = FileManager.default.contents(atPath: directory + "/" + name)
        else { return nil }
        return Asset(Array(data), type: type)
    }
}
