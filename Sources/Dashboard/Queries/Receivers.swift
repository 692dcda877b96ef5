internal import PostgreSQL

/// Who is told of alarms by the notifier, and how that goes.
enum Receivers {
    /// All that were sent something within a day, or wait for it. Empty without a notifier.
    static func all(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [Snapshot.ReceiverItem] {
        try connection.query(
            """
            SELECT n.receiver, count(*) FILTER (WHERE n.state = 'waiting') AS waiting,
                   \(microseconds(of: "min(e.recorded_at) FILTER (WHERE n.state = 'waiting')")) AS since,
                   count(*) FILTER (WHERE n.state = 'sent') AS sent,
                   count(*) FILTER (WHERE n.state = 'dead') AS dead,
                   \(microseconds(of: "max(n.settled_at) FILTER (WHERE n.state = 'sent')")) AS sent_at,
                   (array_agg(n.error ORDER BY n.event_id DESC) FILTER (WHERE n.error IS NOT NULL))[1] AS error
              FROM notifications n JOIN episode_events e USING (event_id)
             WHERE n.state = 'waiting' OR n.settled_at > now() - interval '1 day'
             GROUP BY 1 ORDER BY 1 LIMIT 100
            """, unableTo: "read \"notifications\""
        ).map { row throws(PostgreSQLError) in
            let (name, waiting, since): (String, Int64, Int64?) = (
                try row["receiver"], try row["waiting"], try row["since"]
            )
            let (sent, dead, sentAt): (Int64, Int64, Int64?) = (try row["sent"], try row["dead"], try row["sent_at"])
            return Snapshot.ReceiverItem(
                name: name, waiting: waiting, waitingSince: since.map { Moment(microseconds: $0) }, sentLastDay: sent,
                deadLastDay: dead, sentAt: sentAt.map { Moment(microseconds: $0) }, error: try row["error"])
        }
    }

    /// Has a test message sent to one.
    ///
    /// - Returns: whether there is such a receiver.
    static func test(
        _ receiver: String, by person: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        try connection.execute(
            """
            SET TRANSACTION READ WRITE; SELECT send_test_message(\(connection.literal(receiver)), \
            \(connection.literal(person)))
            """, unableTo: "send a test message"
        ).value()
    }
}
