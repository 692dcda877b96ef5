import Daemon
import Foundation

/// A real file in a folder of its own, gone with the value.
final class TemporaryFile {
    let folder: URL
    var path: String { folder.appending(path: "example.conf").path }

    init(_ text: String) {
        folder = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())")
        write(text)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func write(_ text: String) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            preconditionFailure("unable to write \(path): \(error)")
        }
    }

    /// The settings of the file; the path in origins and errors is replaced by "FILE".
    func settings(environment: [String: String] = [:]) throws(SettingsError) -> Settings {
        do throws(SettingsError) {
            return try Settings(schema, file: path, environment: environment)
        } catch {
            throw SettingsError(error.problems.map { $0.replacingOccurrences(of: path, with: "FILE") })
        }
    }
}
