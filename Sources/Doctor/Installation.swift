import Daemon
import Consumer
import Dashboard
import Database
import FoundationEssentials
import Gateway
import Producer

/// The settings of all parts as they are on this machine.
public struct Installation: Sendable {
    /// The folder of the settings files: /etc/heartbeat.
    public let folder: String
    /// Variables that override the files.
    public let environment: [String: String]
    /// By the schema's name; those that can be used.
    let settings: [String: Settings]
    /// By the schema's name; what is wrong with those that cannot.
    let problems: [String: [String]]

    /// In the order in which they are looked at.
    static let schemas: [SettingsSchema] = [.producer, .gateway, .consumer, .dashboard, .database]

    /// Reads them.
    public init(folder: String, environment: [String: String]) {
        self.folder = folder
        self.environment = environment
        var settings: [String: Settings] = [:]
        var problems: [String: [String]] = [:]
        for schema in Self.schemas {
            do throws(SettingsError) {
                settings[schema.name] = try Settings(schema, folder: folder, environment: environment)
            } catch {
                problems[schema.name] = error.problems
            }
        }
        self.settings = settings
        self.problems = problems
    }

    /// Where a schema's file is.
    func file(of name: String) -> String { "\(folder)/\(name).conf" }

    /// Where a schema's secrets are.
    func secrets(of name: String) -> String { "\(folder)/\(name).secrets" }

    /// The consumer's settings, which say how to reach both servers.
    var consumer: Settings? { settings["consumer"] }
    /// The settings of maintenance.
    var database: Settings? { settings["database"] }

    /// What to do first when a server refuses the consumer's settings, whose secrets this process may not read.
    var adviceToRoot: String? {
        let path = secrets(of: "consumer")
        guard entry(path) != nil, (try? checkReadable(path)) == nil else { return nil }
        return "run this as root, who can read \(path)"
    }

    /// What is there at a path; nil when there is nothing, or nothing that this process may see.
    func entry(_ path: String) -> Entry? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        return Entry(
            mode: (attributes[.posixPermissions] as? any BinaryInteger).map { Int($0) } ?? 0,
            owner: attributes[.ownerAccountName] as? String ?? "")
    }

    /// A file's or folder's rights.
    struct Entry: Equatable, Sendable {
        /// The nine bits of the rights, and those of set-user-id, set-group-id and the sticky bit.
        let mode: Int
        /// The user's name.
        let owner: String

        /// As chmod(1) takes them.
        var octal: String { String(mode & 0o7777, radix: 8) }
    }
}
