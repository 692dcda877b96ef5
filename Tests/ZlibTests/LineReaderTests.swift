import Foundation
import Testing

@testable import Zlib

@Suite struct LineReaderTests {
    @Test("reads a plain file")
    func reads() throws {
        #expect(try lines(of: File("a\nbc\n\nd\n")) == ["a", "bc", "", "d"])
    }

    @Test("needs no final newline")
    func newline() throws {
        #expect(try lines(of: File("a\nb")) == ["a", "b"])
    }

    @Test("an empty file has no line")
    func empty() throws {
        #expect(try lines(of: File("")) == [])
    }

    @Test("takes the line ends of other systems")
    func away() throws {
        #expect(try lines(of: File("a\r\nb\rc\r\n\r\nd")) == ["a", "b\rc", "", "d"])
    }

    @Test("reads a gzip")
    func readsGzip() throws {
        let file = try File("a\nbc\n").gzip()
        #expect(file.bytes.starts(with: [0x1F, 0x8B]))
        #expect(try lines(of: file) == ["a", "bc"])
    }

    @Test("reads gzips that were put together")
    func together() throws {
        let file = try File("a\nb").gzip()
        file.write(file.bytes + (try File("c\nd\n").gzip()).bytes)
        #expect(try lines(of: file) == ["a", "bc", "d"])
    }

    /// Longer than the buffer at first, and so many that it is filled several times at different places of a line.
    @Test("reads lines of every length")
    func length() throws {
        let all = (0..<700).map { String(repeating: "\($0)x", count: $0 % 7 == 0 ? $0 * 3 : $0 % 11) }
        let long = [String(repeating: "y", count: LineReader.longestLine - 1)]
        for expected in [all, long, all + long + all] {
            let file = File(expected.joined(separator: "\n") + "\n")
            #expect(try lines(of: file) == expected)
            #expect(try lines(of: file.gzip()) == expected)
        }
    }

    @Test("refuses a line without end")
    func end() throws {
        let file = File("a\n" + String(repeating: "y", count: 2 * LineReader.longestLine))
        #expect(throws: GzipError(path: file.path, cause: "line 2 is longer than 1048576 bytes")) {
            try lines(of: file)
        }
    }

    @Test("counts lines")
    func counts() throws {
        let file = File("a\nb\n")
        var reader = try LineReader(path: file.path)
        #expect(reader.lineNumber == 0)
        while try reader.next() != nil {}
        #expect(reader.lineNumber == 2)
    }

    @Test("lends the lines before a truncation and then says so")
    func says() throws {
        // Not compressible: otherwise the end of the file is not the end of the lines.
        var random = SystemRandomNumberGenerator()
        let whole = (0..<20_000).map { _ in String(random.next()) }
        let file = try File(whole.joined(separator: "\n") + "\n").gzip()
        for size in [file.bytes.count - 1, file.bytes.count / 2, 12] {
            file.write(Array(file.bytes.prefix(size)))
            var found: [String] = []
            #expect(throws: GzipError(path: file.path, cause: "the gzip is truncated")) {
                try read(file.path) { found.append($0) }
            }
            #expect(found == Array(whole.prefix(found.count)))
            #expect(size == 12 || found.count > 1000)
        }
    }

    @Test("says that a gzip is corrupt")
    func gzipCorrupt() throws {
        let file = try File((0..<20_000).map { "\($0 &* 7919 % 10_007)\n" }.joined()).gzip()
        var bytes = file.bytes
        bytes[bytes.count - 6] ^= 0xFF  // a part of the checksum
        file.write(bytes)
        let error = try #require(throws: GzipError.self) { try lines(of: file) }
        #expect(error.cause == "the gzip is corrupt: incorrect data check")
    }

    @Test(
        "says why a file cannot be read",
        arguments: [
            ("/nonexistent/file", "no such file or directory"), ("/", "is a directory"), ("a\0b", "invalid argument"),
        ])
    func fileRead(path: String, cause: String) throws {
        let error = try #require(throws: GzipError.self) { try read(path) { _ in } }
        #expect(error.cause == cause)
        #expect("\(error)" == "unable to read \"\(path)\": \(cause)")
    }
}

private func read(_ path: String, _ body: (String) -> Void) throws {
    var reader = try LineReader(path: path)
    while let line = try reader.next() {
        body(String(decoding: line.indices.map { line[$0] }, as: UTF8.self))
    }
}

private func lines(of file: File) throws -> [String] {
    var lines: [String] = []
    try read(file.path) { lines.append($0) }
    return lines
}

/// A real file, gone with the value.
private final class File {
    let path = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())").path

    init(_ text: String) { write(Array(text.utf8)) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var bytes: [UInt8] { FileManager.default.contents(atPath: path).map(Array.init) ?? [] }

    func write(_ bytes: [UInt8]) {
        precondition(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
    }

    /// The same text, packed by gzip(1): what people's files are made with.
    func gzip() throws -> File {
        let packed = File("")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "--stdout", path]
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: packed.path))
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return packed
    }
}
