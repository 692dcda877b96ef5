internal import HeartRate
internal import PostgreSQL

/// What a person says of an episode.
struct Acknowledgement: Sendable {
    /// Who says it.
    let by: String
    /// How severe the episode was to their eyes; nil for as it is now.
    var severity: String?
    var note: String?
}

/// What is done with one episode: each is a statement of its own, which holds the row, that the consumer writes too, for no
/// longer than the server needs, even when this process is stopped in the middle.
extension EpisodeItem {
    /// - Returns: nil when there is no such episode.
    static func find(
        _ id: Int64, at clock: AlarmClock, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> EpisodeItem? {
        try list("SELECT * FROM episodes WHERE episode_id = $1", with: [id], at: clock, connection).first
    }

    /// Notes who has looked at an episode.
    ///
    /// - Returns: whether it is done now; false when there is no such episode, somebody else was first, or it is worse.
    static func acknowledge(
        _ id: Int64, _ said: Acknowledgement, at clock: AlarmClock, on connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        let person = try connection.literal(said.by)
        let severity = try said.severity.map { severity throws(PostgreSQLError) in try connection.literal(severity) }
        let note = try said.note.map { note throws(PostgreSQLError) in try connection.literal(note) }
        let remind = clock.remindAfter.map { "make_interval(secs => \($0 / 1_000_000))" }
        return try connection.execute(
            """
            SET TRANSACTION READ WRITE; SELECT acknowledge_episode(\(id), \(person), \(severity ?? "NULL"), \
            \(note ?? "NULL"), \(remind ?? "NULL"))
            """, unableTo: "acknowledge an episode"
        ).value()
    }

    /// Takes an acknowledgement of the last minute back.
    ///
    /// - Returns: whether it is done now; false when there is none of this person.
    static func undo(
        _ id: Int64, by person: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        let person = try connection.literal(person)
        return try connection.execute(
            "SET TRANSACTION READ WRITE; SELECT undo_acknowledgement(\(id), \(person))",
            unableTo: "undo an acknowledgement"
        ).value()
    }
}
