import Daemon
import Database
import PostgreSQL
import Schema
import SharedSettings

/// Whether PostgreSQL answers, and the database is as heartbeat needs it. Asked as the consumer.
struct PostgreSQLChecks {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var checks: [Check] {
        guard let settings = installation.consumer else {
            return [.skipped("postgresql", "the consumer's settings cannot be used")]
        }
        do throws(PostgreSQLError) {
            let parameters = settings.postgresParameters.merging(["connect_timeout": "5"]) { $1 }
            let connection = try PostgreSQLConnection(parameters, .doctor)
            let facts = try ServerFacts(connection)
            return [.ok("postgresql.reachable", "role \"\(facts.role)\" can log in")]
                + examination(connection, settings, database: facts.database) + facts.checks
        } catch {
            return [
                .error(
                    "postgresql.reachable", "\(error)",
                    remedy: installation.adviceToRoot ?? Self.advice),
                .skipped("postgresql", "the rest cannot be known without an answer"),
            ]
        }
    }

    /// What the setup looks at, too: up to the first that is wrong, because the others follow from it.
    private func examination(
        _ connection: PostgreSQLConnection, _ settings: Settings, database: String
    ) -> [Check] {
        let examination = DatabaseExamination(connection, database: database, owner: DatabaseSetup.owner)
        var checks: [Check] = []
        func look(_ name: String, ok said: String, _ examine: () throws(PostgreSQLError) -> Void) -> Bool {
            do throws(PostgreSQLError) {
                try examine()
                checks.append(.ok("postgresql.\(name)", said))
                return true
            } catch {
                checks.append(.error("postgresql.\(name)", error.cause, remedy: error.hint ?? "see the server's log"))
                return false
            }
        }
        guard look("server", ok: "15 or newer", { () throws(PostgreSQLError) in try examination.examineVersion() }),
            look("encoding", ok: "UTF8", examination.examineEncoding),
            look("ownership", ok: "role \"\(DatabaseSetup.owner)\" can make tables", examination.examineRights)
        else { return checks + [.skipped("postgresql.schema", "see above")] }
        return checks + schema(connection, settings)
    }

    private static let advice =
        "pg_lsclusters says whether the server runs; else correct POSTGRES_... in consumer.conf, or run the setup: \(setup)"
    private static let setup = "runuser -u postgres -- heartbeat database setup"

    private func schema(_ connection: PostgreSQLConnection, _ settings: Settings) -> [Check] {
        let name = "postgresql.schema"
        do throws(PostgreSQLError) {
            if let error = try connection.schemaError() {
                let remedy =
                    switch error {
                    case .tooNew: "install the newer heartbeat"
                    case .tooOld: Self.setup
                    }
                return [.error(name, "\(error)", remedy: remedy)]
            }
            return [
                .ok(name, "version \(knownSchemaVersion)"),
                rights(try GrantedRights.missing(connection), settings[.postgresDB]), try partitions(connection),
            ]
        } catch {
            return [.error(name, "\(error)", remedy: Self.setup)]
        }
    }

    private func rights(_ missing: [String], _ database: String) -> Check {
        let name = "postgresql.rights"
        guard missing.isEmpty else {
            let shown = missing.prefix(3).joined(separator: "; ")
            return .error(
                name, "missing: " + shown + (missing.count > 3 ? "; and \(missing.count - 3) more" : ""),
                remedy: "runuser -u postgres -- psql \(database) -c '\(missing.joined(separator: "; "))'")
        }
        return .ok(name, "the roles have what the migrations grant")
    }

    private func partitions(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Check {
        let name = "postgresql.partitions"
        let ahead: Int = try connection.query(
            """
            SELECT coalesce(min(n) FILTER (WHERE NOT is_there), 32) - 1
              FROM (SELECT n, EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                                       WHERE i.inhparent = 'heart_rate_readings'::regclass AND c.relname =
                           'heart_rate_readings_' || to_char((now() AT TIME ZONE 'UTC')::date + n, 'YYYYMMDD')) AS is_there
                      FROM generate_series(0, 31) AS n) AS days
            """, unableTo: "look at the partitions"
        ).value()
        let remedy = "systemctl start heartbeat-maintenance, or runuser -u postgres -- heartbeat database maintain"
        if ahead < 0 {
            return .error(name, "today has none: its readings go to the default partition", remedy: remedy)
        }
        if ahead < 1 { return .warning(name, "there is none for tomorrow", remedy: remedy) }
        return .ok(name, "\(ahead) day\(ahead == 1 ? "" : "s") ahead")
    }
}
