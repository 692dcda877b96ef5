import Daemon
import PostgreSQL
import Schema
import SharedSettings

/// Whether a database is in use: the benchmark would load a server that has work to do.
struct InstallationCheck {
    private let settings: Settings

    /// - Parameter settings: the installation's.
    init(_ settings: Settings) { self.settings = settings }

    /// Refuses a server whose database of the settings has readings.
    ///
    /// - Throws: `CommandFailure`; `PostgreSQLError` when the database cannot be looked at.
    func expectNoReadings() throws {
        let name = settings[.postgresDB]
        let hasReadings = try settings.asOperator("postgres", running: "benchmark") {
            let connection = try PostgreSQLConnection(
                settings.postgresParameters.merging(["dbname": "postgres"]) { $1 }, .benchmark)
            let databases = try connection.query(
                "SELECT 1 FROM pg_database WHERE datname = $1", [name], unableTo: "look for database \"\(name)\"")
            return try databases.count > 0 && isFilled()
        }
        guard hasReadings else { return }
        throw CommandFailure(
            .config, "database \"\(name)\" has readings, and the benchmark would load its server",
            hint: "--database \(BenchmarkGround.defaultDatabase) does so all the same, in a database of its own; "
                + "--local makes private servers")
    }

    private func isFilled() throws(PostgreSQLError) -> Bool {
        let connection = try PostgreSQLConnection(settings.postgresParameters, .benchmark)
        for table in ["heart_rate_readings", "heart_rate_readings_closed", "sealed_readings"] {
            let exists: Bool = try connection.query(
                "SELECT to_regclass('public.' || $1) IS NOT NULL", [table], unableTo: "look for table \"\(table)\""
            ).value()
            guard exists else { continue }
            let hasRows: Bool = try connection.query(
                "SELECT EXISTS (SELECT FROM public.\(PostgreSQLConnection.identifier(table)))",
                unableTo: "look into table \"\(table)\""
            ).value()
            if hasRows { return true }
        }
        return false
    }
}
