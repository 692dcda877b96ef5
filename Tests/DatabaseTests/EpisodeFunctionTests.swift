import Harness
import Testing

extension OnAServer {
    /// What the consumer asks of the database about alarms and limits.
    @Suite("Functions about episodes") struct EpisodeFunctionTests {
        @Test("who acknowledged an alarm before it became high is reminded of it, once each time that it does")
        func reminders() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-consumer")
            func change(_ severity: String, _ change: String, minutesAgo: Int) throws {
                try session.rows(
                    """
                    UPDATE episodes SET severity = '\(severity)',
                           worst_severity = greatest(worst_severity, '\(severity)'::episode_severity);
                    INSERT INTO episode_changes (episode_id, changed_at, change, severity, told_at)
                    SELECT episode_id, now() - interval '\(minutesAgo) min', '\(change)', '\(severity)',
                           now() - interval '\(minutesAgo) min' FROM episodes
                    """)
            }
            func reminded() throws -> Int {
                try session.rows("SELECT customer_id, kind, worst FROM remind_episodes(interval '5 min', 10)").count
            }
            func acknowledge() throws {
                #expect(try database.rows("SELECT acknowledge_episode(episode_id, 'Anna') FROM episodes") == [["t"]])
            }
            try session.rows(
                "SELECT record_episodes('{a}', '{tachycardia}', '{medium}', '{medium}', ARRAY[now()], "
                    + "ARRAY[now()], ARRAY[now()], '{NULL}', '{130}', '{20}', '{fast}')")
            try change("medium", "opened", minutesAgo: 30)
            #expect(try reminded() == 0, "it is not high")
            try acknowledge()
            try change("high", "escalated", minutesAgo: 20)
            #expect(try reminded() == 1)
            #expect(try reminded() == 0, "once")
            try acknowledge()
            try change("medium", "eased", minutesAgo: 10)
            #expect(try reminded() == 0, "it was seen")
            try change("high", "escalated", minutesAgo: 9)
            #expect(try reminded() == 1, "it is high again")
            try acknowledge()
            #expect(try reminded() == 0)
        }

        @Test("each change of limits raises their version, when it is committed")
        func limits() async throws {
            let database = try await TestDatabase.make()
            let consumer = try database.connect(as: "heartbeat-consumer")
            var last = 0
            func isRaised() throws -> Bool {
                let version = Int(try consumer.rows("SELECT version FROM limits_version")[0][0] ?? "") ?? 0
                defer { last = version }
                return version > last
            }
            #expect(try isRaised())
            #expect(try !isRaised())
            try database.rows("INSERT INTO customers VALUES ('a')")
            for statement in [
                "SELECT set_customer_limits('a', 'Anna', NULL, 95::smallint)",
                "INSERT INTO customer_limits (customer_id, profile) SELECT 'c' || n, 'athlete' FROM generate_series(1, 50) n",
                "UPDATE customer_limits SET heart_rate_max = 100 WHERE customer_id = 'a'",
                "UPDATE limit_profiles SET rest_min = 36 WHERE profile = 'athlete'",
                "DELETE FROM customer_limits WHERE customer_id = 'a'", "TRUNCATE customer_limits",
            ] {
                try database.rows(statement)
                #expect(try isRaised(), "\(statement)")
            }
            let person = try database.connect(as: "postgres")
            try person.rows("BEGIN")
            try person.rows("INSERT INTO customer_limits (customer_id, heart_rate_max) VALUES ('b', 90)")
            #expect(try !isRaised(), "nobody sees it yet")
            try person.rows("COMMIT")
            #expect(try isRaised())
        }

        @Test("the name of a group is one whichever way it comes")
        func groupNames() async throws {
            let database = try await TestDatabase.make()
            for name in ["a", "Ward 3", "Zimmer ä", "🫀", String(repeating: "x", count: 50)] {
                try database.rows("INSERT INTO customer_groups VALUES ('a', $$\(name)$$)")
            }
            for name in [
                "", " ", " a", "a ", "a\t", "a\u{a0}", "\u{a0}a", "\u{2003}a", "a\u{3000}", "a\u{feff}", "a\nb",
                "a\u{7f}b", "a\u{85}b", "a,b", String(repeating: "x", count: 51),
            ] {
                #expect(throws: (any Error).self, "\(name.debugDescription)") {
                    try database.rows("INSERT INTO customer_groups VALUES ('a', $$\(name)$$)")
                }
            }
        }
    }
}
