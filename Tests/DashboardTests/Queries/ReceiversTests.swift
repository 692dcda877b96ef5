import Foundation
import Harness
import Testing

extension OnAServer {
    @Suite("Receivers of alarms", .ownFolder) struct ReceiversTests {
        @Test("the state has whom the notifier tells, what waits and what was given up within a day")
        func receivers() async throws {
            let database = try await TestDatabase.make()
            try database.rows(
                """
                INSERT INTO episode_events (event, happened_at, episode_id, customer_id, groups, kind, severity, worst_severity,
                                            opened_at, raised_at, reason)
                SELECT 'opened', now(), n, 'cust_0001', '', 'tachycardia', 'high', 'high', now(), now(), 'fast'
                  FROM generate_series(1, 4) AS n;
                INSERT INTO notifications (event_id, receiver, state, settled_at, error) VALUES
                    (1, 'duty', 'sent', now() - interval '2 days', NULL), (2, 'duty', 'sent', now(), NULL),
                    (3, 'duty', 'dead', now(), 'HTTP status 422'), (4, 'duty', 'waiting', NULL, 'timed out'),
                    (1, 'old', 'sent', now() - interval '2 days', NULL), (4, 'team', 'waiting', NULL, NULL)
                """)
            let dashboard = try await RunningDashboard(database: database)
            try await dashboard.untilState("the receivers are there") { state in
                (state["receivers"] as? [[String: Any]])?.count == 2
            }
            let state = try dashboard.json("/api/v1/state")
            let receivers = try #require(state["receivers"] as? [[String: Any]])
            #expect(receivers.map { $0["name"] as? String } == ["duty", "team"])
            #expect(receivers.map { $0["waiting"] as? Int } == [1, 1])
            #expect(receivers.map { $0["sent_last_day"] as? Int } == [1, 0])
            #expect(receivers.map { $0["dead_last_day"] as? Int } == [1, 0])
            #expect(receivers.map { $0["error"] as? String } == ["timed out", nil])
            #expect(receivers.map { $0["waiting_since"] is String } == [true, true])
        }
    }
}
