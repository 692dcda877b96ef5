import Foundation
import Testing

@testable import Zlib

struct GzipTests {
    @Test("what is packed comes back", arguments: [0, 1, 100, 1_000_000])
    func again(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        for level in [1, 6, 9] {
            let packed = try #require(gzip(bytes, level: level))
            let path = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            #expect(FileManager.default.createFile(atPath: path, contents: Data(packed)))
            var file = try GzipFile(path: path)
            var buffer = [UInt8](repeating: 0, count: count + 1)
            var unpacked = 0
            while case let more = try file.read(into: &buffer, from: unpacked), more > 0 { unpacked += more }
            #expect(unpacked == count)
            #expect(Array(buffer.prefix(count)) == bytes)
        }
    }

    /// The check value of CRC-32/ISO-HDLC.
    @Test("crc is that of the standard")
    func standard() { #expect(crc32(of: Array("123456789".utf8)) == 0xCBF4_3926) }
}
