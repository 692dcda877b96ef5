import Foundation
import Synchronization

/// The files of one test, in a folder that goes with this value, and the processes whose logs they are.
package final class TestFolder: Sendable {
    /// That of the test that runs now.
    @TaskLocal package static var current: TestFolder?

    package let path: String
    private struct Entry {
        let name: String
        let logFile: String
        weak var process: ChildProcess?
    }
    private let entries = Mutex<[Entry]>([])
    private let failed = Mutex(false)

    package init() throws {
        var template = Array("/tmp/heartbeat-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessError("unable to make a folder in /tmp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // PostgreSQL runs as another user and has its data below.
        chmod(path, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The folder of the test that runs now.
    package static func required() throws -> TestFolder {
        guard let current else { throw HarnessError("the suite has no trait .ownFolder") }
        return current
    }

    /// Writes a file.
    ///
    /// - Returns: its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        return path + "/" + name
    }

    /// Whether something has been found wrong in this test.
    package var hasFailed: Bool {
        get { failed.withLock { $0 } }
        set { failed.withLock { $0 = newValue } }
    }

    private let started = Mutex(0)

    /// Where a process's standard output and standard error go. A second process of the same name gets files of its own.
    func files(for name: String) -> (output: String, log: String) {
        // Counted under the lock: pipelines start their processes side by side.
        let number = started.withLock { started in
            started += 1
            return started
        }
        let file = "\(path)/\(number)-\(name.split(separator: " ").joined(separator: "-"))"
        return (file + ".out", file + ".log")
    }

    func add(_ process: ChildProcess) {
        entries.withLock { $0.append(Entry(name: process.name, logFile: process.logFile, process: process)) }
    }

    /// A process that ended although nobody asked it to, in words.
    var unexpectedEnd: String? {
        let processes = entries.withLock { $0.compactMap(\.process) }
        return processes.lazy.compactMap { process in
            process.unexpectedEnd.map { "\(process.name) has ended by itself: \($0)" }
        }.first
    }

    /// The last lines of the standard error of each of so many processes, the youngest.
    package func logs(of count: Int = 12) -> String {
        let files = entries.withLock { $0.map { ($0.name, $0.logFile) } }
        return files.suffix(count).map { name, file in
            let lines = contents(file).split(separator: "\n").suffix(25)
            return "--- the end of the log of \(name)\n" + lines.map { "    \($0)\n" }.joined()
        }.joined()
    }
}

/// Something that the tests need and that did not work.
package struct HarnessError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
