internal import FHIR
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Synchronization
internal import Zlib

/// Reads the bodies of requests, which take a bounded amount of memory together.
final class Bodies: Sendable {
    private let used = Atomic<Int>(0)
    private let mostBytes: Int

    /// The most bytes of all bodies together.
    private static let mostInMemory = 96 << 20
    /// Who takes longer to send a body is let go.
    private static let patience = TimeAmount.seconds(30)

    /// - Parameter mostBytes: the longest body, unpacked.
    init(mostBytes: Int) { self.mostBytes = mostBytes }

    /// Reads a body and lends it, unpacked.
    func read<Answer>(
        _ request: Request, _ caller: Caller, body: ([UInt8]) async throws -> Answer
    ) async throws -> Answer {
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= mostBytes else { throw tooLarge }
        var room = 0
        defer { used.subtract(room, ordering: .relaxed) }
        let bytes = try await collect(request, caller, counting: &room)
        let plain = try unpacked(bytes, request)
        try take(plain.count - bytes.count, &room)
        return try await body(plain)
    }

    /// Counts bytes that have come: what is read, and what is made of it. What a sender only announces takes no memory.
    private func take(_ bytes: Int, _ room: inout Int) throws(Refusal) {
        room += 2 * bytes
        guard used.add(2 * bytes, ordering: .relaxed).newValue > Self.mostInMemory else { return }
        throw .busy(.serviceUnavailable, as: .transient, "too many requests at a time: send it again", seconds: 2)
    }

    private func collect(
        _ request: Request, _ caller: Caller, counting room: inout Int
    ) async throws -> [UInt8] {
        let channel = caller.channel
        let limit = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(mode: .all, promise: nil) }
        defer { limit.cancel() }
        var bytes: [UInt8] = []
        do {
            for try await buffer in request.body {
                guard bytes.count + buffer.readableBytes <= mostBytes else { throw tooLarge }
                try take(buffer.readableBytes, &room)
                bytes += buffer.readableBytesView
            }
        } catch {
            // Whoever has gone does not read the answer.
            throw error as? Refusal ?? .last(.badRequest, as: .structure, "the body ended before its end")
        }
        return bytes
    }

    private func isPacked(_ request: Request) -> Bool { request.headers[.contentEncoding]?.lowercased() == "gzip" }

    private func unpacked(_ bytes: [UInt8], _ request: Request) throws(Refusal) -> [UInt8] {
        guard let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" else { return bytes }
        guard isPacked(request) else {
            throw Refusal(.unsupportedMediaType, as: .notSupported, "Content-Encoding: expected gzip or none")
        }
        do throws(GunzipError) {
            return try gunzip(bytes, limit: mostBytes)
        } catch {
            switch error {
            case .tooLarge: throw tooLarge
            case .corrupt: throw Refusal(.badRequest, as: .structure, "the body is no gzip, or not a whole one")
            }
        }
    }

    private var tooLarge: Refusal {
        .last(.contentTooLarge, as: .tooLong, "expected a body of at most \(mostBytes) bytes, unpacked")
    }
}
