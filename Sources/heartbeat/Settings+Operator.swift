import Daemon
import FoundationEssentials
import PostgreSQL
import SharedSettings

extension Settings {
    /// Runs what an operator has asked of PostgreSQL. Root is no role there, which is the likeliest mistake.
    ///
    /// - Parameters:
    ///   - user: a system user who may do it.
    ///   - command: the words after `heartbeat`.
    /// - Throws: what `body` throws; a server that cannot be reached as `CommandFailure(.unavailable)`, with advice when
    ///   root could not log in.
    func asOperator<Result>(_ user: String, running command: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as PostgreSQLError where error.sqlState == nil {
            let isRoot = ProcessInfo.processInfo.userName == "root" && postgresParameters["user"] == nil
            throw CommandFailure(
                .unavailable, error.description,
                hint: isRoot ? "root is no role: runuser -u \(user) -- heartbeat \(command)" : nil)
        }
    }
}
