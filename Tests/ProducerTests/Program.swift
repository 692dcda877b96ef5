import Foundation
import Testing

/// `heartbeat` with a subcommand, as a process of its own.
final class Program {
    private let process = Process()
    private let input = Pipe()
    private let folder: URL
    private var output: URL { folder.appending(path: "output") }
    private var errors: URL { folder.appending(path: "errors") }

    /// Starts the program, which lies beside the tests that are running.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for file in [output, errors] { #expect(FileManager.default.createFile(atPath: file.path, contents: nil)) }
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.executableURL = tests.deletingLastPathComponent().appending(path: "heartbeat")
        process.arguments = arguments
        // Standard error leads to a file here, wherever that of the tests leads.
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "JOURNAL_STREAM" }
            .merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Everything on standard output until now.
    var printed: String { text(of: output) }
    /// Everything on standard error until now.
    var log: String { text(of: errors) }

    /// Sends a line to its standard input.
    func tell(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) }

    /// Sends SIGTERM.
    func terminate() { process.terminate() }

    /// Waits for its end.
    func status() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func text(of file: URL) -> String {
        String(decoding: FileManager.default.contents(atPath: file.path) ?? Data(), as: UTF8.self)
    }
}

/// Looks again and again until something is there; no longer than a minute.
func eventually<Value>(_ look: () throws -> Value?) throws -> Value {
    for _ in 0..<6000 {
        if let value = try look() { return value }
        usleep(10_000)
    }
    return try #require(try look(), "it did not happen within a minute")
}
