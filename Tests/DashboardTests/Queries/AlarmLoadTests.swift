import Foundation
import Harness
import Testing

extension OnAServer {
    /// How many alarms there were, by kind and by when people were told.
    @Suite("Alarm load", .ownFolder) struct AlarmLoadTests {
        @Test("what was medium yesterday and became high today counts today, by its kind")
        func kinds() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 4, seconds: 100)
            let day = 86_400
            let old = try database.episode(of: "cust_0001", "tachycardia", "medium", since: day + 3600)
            let told = try database.episode(of: "cust_0002", "tachycardia", "high", since: 600)
            let slow = try database.episode(of: "cust_0003", "bradycardia", "high", since: 900, until: 300)
            try database.rows(
                """
                UPDATE episodes SET severity = 'high', worst_severity = 'high' WHERE episode_id = \(old);
                UPDATE episode_changes SET told_at = now() - interval '9 min' WHERE episode_id = \(told);
                INSERT INTO episode_changes (episode_id, changed_at, change, severity, told_at) VALUES
                    (\(old), now() - interval '2 h', 'escalated', 'high', now() - interval '2 h'),
                    (\(slow), now() - interval '5 min', 'closed', 'high', NULL)
                """)
            try database.rows("SELECT acknowledge_episode(\(told), 'Anna')")
            let dashboard = try await RunningDashboard(database: database)
            func load(from: Double, until: Double) throws -> [[String: Any]] {
                func text(_ hours: Double) -> String { Date(timeIntervalSinceNow: hours * 3600).ISO8601Format() }
                let report = try dashboard.json("/api/v1/report?from=\(text(from))&until=\(text(until))")
                return try #require(report["alarms_by_kind"] as? [[String: Any]])
            }
            let today = try load(from: -24, until: 0.1)
            #expect(today.map { $0["kind"] as? String } == ["tachycardia", "bradycardia"])
            #expect(today.map { $0["alarms"] as? Int } == [2, 1])
            #expect(today.map { $0["told"] as? Int } == [2, 0])
            #expect(today.map { $0["acknowledged"] as? Int } == [1, 0])
            #expect(today.map { $0["customers"] as? Int } == [2, 1])
            #expect(try load(from: -48, until: -24).isEmpty)
        }
    }
}
