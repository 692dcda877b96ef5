import Foundation
import Testing

@testable import Zlib

struct GzipStreamTests {
    @Test("blocks that were packed apart are one stream, whose sum and length are right", arguments: [0, 1, 5])
    func blocks(_ count: Int) throws {
        var (stream, bytes, plain) = (GzipStream(), GzipStream.header, [UInt8]())
        for number in 0..<count {
            let text = Array(String(repeating: "event \(number) äöü ", count: 1 + number * 3000).utf8)
            bytes += try #require(GzipStream.block(text))
            stream.add(text)
            plain += text
        }
        bytes += stream.trailer
        let path = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
        var file = try GzipFile(path: path)
        var buffer = [UInt8](repeating: 0, count: plain.count + 1)
        var unpacked = 0
        while case let more = try file.read(into: &buffer, from: unpacked), more > 0 { unpacked += more }
        #expect(Array(buffer.prefix(unpacked)) == plain)
    }

    @Test("a block is all there without what follows")
    func flush() throws {
        let block = try #require(GzipStream.block(Array("data: 1\n\n".utf8)))
        #expect(block.suffix(4) == [0, 0, 255, 255], "it ends with a flush")
    }
}
