import Daemon
import PostgreSQL

/// How long an error that does not pass by itself is put up with: it may be a person's work on the schema that is not done
/// yet, or a setup that is still running. The daemon ends when it lasts, so systemd's restarts are that far apart, too.
struct Patience {
    private static let most: Duration = .seconds(20)
    private var since: ContinuousClock.Instant?

    /// Everything works again.
    mutating func reset() { since = nil }

    /// - Returns: why the daemon has to end; nil as long as it may try again.
    mutating func failure(_ error: PostgreSQLError, at now: ContinuousClock.Instant = .now) -> CommandFailure? {
        guard error.fault != .passing else {
            since = nil
            return nil
        }
        let start = since ?? now
        since = start
        guard now - start >= Self.most else { return nil }
        let state = error.sqlState.map { " (\($0.rawValue))" } ?? ""
        return CommandFailure(
            .refused, "PostgreSQL refuses the work, and would again: unable to \(error.action): \(error.cause)\(state)",
            hint: error.hint ?? Self.advice(error.sqlState) + ". Nothing is lost: the next start reads on from there")
    }

    private static func advice(_ state: SQLState?) -> String {
        switch state?.rawValue {
        case "42501": "GRANT the consumer's role the right that it had"
        case "42P01", "42703", "42883", "3F000", "23502", "22P03", "42804":
            "give the schema back what \"heartbeat database setup\" has made, or take back what was added"
        case let state? where state.hasPrefix("XX"): "look at the server's log: its files may be damaged"
        case let state? where SQLState(rawValue: state).fault == .data:
            "change the constraint or trigger: it refuses what is no message's, or even a rejected message"
        default: "change what the database was changed to"
        }
    }
}
