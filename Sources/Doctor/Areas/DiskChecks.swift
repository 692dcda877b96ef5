import Daemon
import Database
import PostgreSQL
import Schema
import SharedSettings

/// Whether the disk lasts, by `heartbeat database status`.
struct DiskChecks {
    /// What is known of it.
    struct Disk: Equatable {
        /// Bytes that are free; nil when it cannot be known from here.
        var freeBytes: Int64?
        /// Where, or why it is not known.
        var place: String
        var isFull = false
        /// Whether retention stops the growth before.
        var isKeptByRetention = false
        var daysUntilFull: Int?
    }

    private let disk: Disk

    init(_ disk: Disk) { self.disk = disk }

    /// Asks the database.
    init(_ installation: Installation) {
        guard let settings = installation.database else {
            self.init(Disk(place: "the settings of the database cannot be used"))
            return
        }
        do throws(PostgreSQLError) {
            let parameters = settings.postgresParameters.merging(["connect_timeout": "5"]) { $1 }
            let status = try DatabaseStatus(
                retentionDays: settings[.retentionDays], rollupRetentionDays: settings[.rollupRetentionDays],
                PostgreSQLConnection(parameters, .doctor))
            self.init(
                Disk(
                    freeBytes: status.disk?.freeBytes, place: status.disk?.path ?? status.diskUnknown ?? "",
                    isFull: status.isFull, isKeptByRetention: status.isKeptByRetention,
                    daysUntilFull: status.daysUntilFull))
        } catch {
            self.init(Disk(place: "\(error)"))
        }
    }

    var checks: [Check] { [free, days] }

    private static let remedy = "make room, enlarge the disk, or keep less: RETENTION_DAYS, SEAL_AFTER_DAYS"

    private var free: Check {
        let name = "disk.free"
        guard let bytes = disk.freeBytes else { return .skipped(name, disk.place) }
        let text = "\(DatabaseStatus.size(bytes)) at \(disk.place)"
        guard !disk.isFull else { return .error(name, "full: \(text)", remedy: Self.remedy) }
        return .ok(name, text)
    }

    private var days: Check {
        let name = "disk.days"
        guard disk.freeBytes != nil, !disk.isFull else { return .skipped(name, "see disk.free") }
        if disk.isKeptByRetention { return .ok(name, "retention drops days before it is full") }
        guard let days = disk.daysUntilFull else { return .skipped(name, "the growth is not known yet") }
        let text = "full in \(days) days at the last week's growth"
        if days < 7 { return .error(name, text, remedy: Self.remedy) }
        return days < 30 ? .warning(name, text, remedy: Self.remedy) : .ok(name, text)
    }
}
