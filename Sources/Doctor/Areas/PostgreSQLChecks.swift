import Daemon
import Database
import PostgreSQL
import Schema
import SharedSettings

/// Whether PostgreSQL answers, and the database is as heartbeat needs it. Asked as the consumer.
struct PostgreSQLChecks {
    private let installation: Installation
    /// All checks but the first, which needs no answer.
    private static let others = [
        "server", "encoding", "ownership", "schema", "rights", "partitions", "writable", "fsync", "autovacuum",
        "connections", "collation", "clock",
    ]

    init(_ installation: Installation) { self.installation = installation }

    var checks: [Check] {
        guard let settings = installation.consumer else {
            return skipped(["reachable"] + Self.others, "the consumer's settings cannot be used")
        }
        do throws(PostgreSQLError) {
            let parameters = settings.postgresParameters.merging(["connect_timeout": "5"]) { $1 }
            let connection = try PostgreSQLConnection(parameters, .doctor)
            let facts = try ServerFacts(connection)
            return [.ok("postgresql.reachable", "role \"\(facts.role)\" can log in")]
                + examination(connection, facts.database) + [schema(connection)] + database(connection, settings)
                + facts.checks
        } catch {
            return [
                .error(
                    "postgresql.reachable", "\(error)",
                    remedy: """
                        pg_lsclusters says whether the server runs; else correct POSTGRES_... in consumer.conf, or run \
                        heartbeat database setup
                        """)
            ] + skipped(Self.others, "PostgreSQL does not answer")
        }
    }

    private func skipped(_ names: [String], _ why: String) -> [Check] {
        names.map { .skipped("postgresql.\($0)", why) }
    }

    /// What the setup looks at, too.
    private func examination(_ connection: PostgreSQLConnection, _ database: String) -> [Check] {
        let examination = DatabaseExamination(connection, database: database)
        func check(
            _ name: String, _ said: String, _ examine: () throws(PostgreSQLError) -> Void
        ) -> Check {
            do throws(PostgreSQLError) {
                try examine()
                return .ok("postgresql.\(name)", said)
            } catch {
                return .error("postgresql.\(name)", error.cause, remedy: error.hint ?? "see the server's log")
            }
        }
        return [
            check("server", "15 or newer") { () throws(PostgreSQLError) in try examination.examineVersion() },
            check("encoding", "UTF8", examination.examineEncoding),
            check("ownership", "role \"\(DatabaseSetup.owner)\" can make tables", examination.examineRights),
        ]
    }

    private static let setup = "runuser -u postgres -- heartbeat database setup"

    private func schema(_ connection: PostgreSQLConnection) -> Check {
        let name = "postgresql.schema"
        do throws(PostgreSQLError) {
            guard let error = try connection.schemaError() else { return .ok(name, "version \(knownSchemaVersion)") }
            let remedy =
                switch error {
                case .tooNew: "install the newer heartbeat"
                case .tooOld: Self.setup
                }
            return .error(name, "\(error)", remedy: remedy)
        } catch {
            return .error(name, "\(error)", remedy: Self.setup)
        }
    }

    /// What only can be asked of tables that are there.
    private func database(_ connection: PostgreSQLConnection, _ settings: Settings) -> [Check] {
        do throws(PostgreSQLError) {
            guard try connection.schemaError() == nil else {
                return skipped(["rights", "partitions"], "the schema is another one")
            }
            return [rights(try GrantedRights.missing(connection)), try partitions(connection)]
        } catch {
            return skipped(["rights", "partitions"], "\(error)")
        }
    }

    private func rights(_ missing: [String]) -> Check {
        let name = "postgresql.rights"
        guard missing.isEmpty else {
            let shown = missing.prefix(3).joined(separator: "; ")
            return .error(
                name, "missing: " + shown + (missing.count > 3 ? "; and \(missing.count - 3) more" : ""),
                remedy: "runuser -u postgres -- psql heartbeat_db -c '\(missing.joined(separator: "; "))'")
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
