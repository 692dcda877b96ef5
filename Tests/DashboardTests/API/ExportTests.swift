import Foundation
import Harness
import Testing

extension OnAServer {
    /// Files of readings.
    @Suite("Exports", .ownFolder) struct ExportTests {
        @Test("what was exported can be played again, also of ids with commas and quotation marks")
        func replayed() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 100)
            let odd = "bed \"7\", left"
            try database.store(odd, 190, isAnomaly: true)
            try database.rows(
                """
                UPDATE heart_rate_readings SET activity = id % 5 WHERE id % 5 < 4 AND customer_id = 'cust_0001'
                """)
            let dashboard = try await RunningDashboard(database: database)
            let pipeline = try await Pipeline()
            for id in ["cust_0001", odd] {
                let name = try #require(id.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
                let file = try TestFolder.required().write(
                    "export.csv", try dashboard.get("/api/v1/readings.csv?customer_id=\(name)").text)
                let replayed = try await Heartbeat.run(
                    ["producer", "--replay", file, "--flat-out"], pipeline.broker.producerSettings)
                #expect(replayed.end == .exited(0), "\(replayed.log)")
            }
            try await pipeline.drain()
            let readings =
                "SELECT customer_id, recorded_at, heart_rate, activity FROM heart_rate_readings ORDER BY 1, 2"
            #expect(try pipeline.database.rows(readings) == database.rows(readings))
            let activities = "SELECT count(DISTINCT activity) FROM heart_rate_readings"
            #expect(try pipeline.database.number(activities) == 4)
            try await pipeline.expectSound(101)
        }

        @Test("readings as objects are the database's, and none is an empty list")
        func objects() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 50)
            let dashboard = try await RunningDashboard(database: database)
            let file = try dashboard.get("/api/v1/readings.json?customer_id=cust_0001")
            #expect(file.headers["content-type"] == "application/json")
            #expect(file.headers["content-disposition"] == "attachment; filename=\"heartbeat-cust_0001.json\"")
            let items = try #require(try file.json()["items"] as? [[String: Any]])
            let shown = items.map { item in
                "\(item["customer_id"] ?? "") \(item["recorded_at"] ?? "") \(item["heart_rate"] ?? "") "
                    + "\(item["is_anomaly"] as? Bool ?? false) \(item["anomaly_reason"] as? String ?? "-")"
            }
            let stored = try database.rows(
                """
                SELECT customer_id || ' ' || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' '
                       || heart_rate || ' ' || is_anomaly || ' ' || coalesce(anomaly_reason, '-')
                  FROM heart_rate_readings ORDER BY recorded_at
                """
            ).compactMap(\.[0])
            #expect(shown == stored && shown.count == 50)
            let none = try dashboard.json("/api/v1/readings.json?customer_id=nobody")
            #expect((none["items"] as? [Any])?.isEmpty == true && none.count == 1)
        }
    }
}
