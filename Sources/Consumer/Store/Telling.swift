import HeartRate
import PostgreSQL

/// An episode of which people are told again, since nobody has acknowledged it, by the names of the command's environment.
struct Reminder {
    let customerID: String
    let kind: String
    let reason: String
    let fields: [String: String]
}

extension ReadingStore {
    /// The changes of which nobody was told yet; from now on they count as told.
    func untold(_ changes: [CustomerEpisode]) throws(PostgreSQLError) -> [CustomerEpisode] {
        let rows = try connection.query(
            """
            SELECT tell_changes($1::text[], $2::episode_kind[], $3::timestamptz[], $4::text[], $5::episode_severity[])
                   AS place
            """,
            [
                ArrayText(changes) { $0.customerID }, ArrayText(changes) { $0.episode.kind.name },
                ArrayText(changes) { $0.episode.openedAt }, ArrayText(changes) { $0.change.name },
                ArrayText(changes) { $0.episode.severity.name },
            ], unableTo: "note whom people were told of")
        let places: [Int] = try rows.map { row throws(PostgreSQLError) in try row["place"] }
        return places.map { changes[$0 - 1] }
    }

    /// Episodes of high severity that nobody acknowledged within a time after people were told; each once.
    func reminders(after delay: Microseconds, most: Int) throws(PostgreSQLError) -> [Reminder] {
        let rows = try connection.query(
            "SELECT * FROM remind_episodes(make_interval(secs => $1::integer), $2::integer)", [delay.seconds, most],
            unableTo: "look for episodes that nobody has acknowledged")
        return try rows.map { row throws(PostgreSQLError) in
            let (id, kind, reason): (String, String, String) = (
                try row["customer_id"], try row["kind"], try row["reason"]
            )
            let rate: Int16? = try row["heart_rate"]
            return Reminder(
                customerID: id, kind: kind, reason: reason,
                fields: [
                    "HEARTBEAT_EVENT": "unacknowledged", "HEARTBEAT_CUSTOMER": id, "HEARTBEAT_KIND": kind,
                    "HEARTBEAT_SEVERITY": "high", "HEARTBEAT_WORST_SEVERITY": try row["worst"],
                    "HEARTBEAT_OPENED_AT": try row["opened"], "HEARTBEAT_RAISED_AT": try row["raised"],
                    "HEARTBEAT_CLOSED_AT": "", "HEARTBEAT_HEART_RATE": rate.map { "\($0)" } ?? "",
                    "HEARTBEAT_REASON": reason,
                ])
        }
    }
}
