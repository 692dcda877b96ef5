import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// A dashboard that reads from a standby: streaming replication by PostgreSQL itself.
    @Suite("On a replica") struct ReplicaTests {
        @Test("it shows what the primary stores, also after an outage of the replica, and changes nothing")
        func replica() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 10)
            let standby = try await PrivatePostgreSQL(replicaOf: database.cluster)
            let dashboard = try await RunningDashboard(["POSTGRES_HOST": standby.host], database: database)
            try await dashboard.untilState("it has what was there before") {
                ($0["totals"] as? [String: Any])?["readings"] as? Int == 30
            }
            try database.store("cust_0002", 190, isAnomaly: true)
            try await dashboard.untilState("it has what came later") {
                ($0["totals"] as? [String: Any])?["readings"] as? Int == 31
            }
            let hour = try dashboard.json("/api/v1/readings?customer_id=cust_0002")
            #expect(hour["max"] as? Int == 190)

            let body = #"{"customer_id": "cust_0001", "by": "Anna", "heart_rate_min": 45, "heart_rate_max": null}"#
            let connection = try HTTPConnection(port: dashboard.port)
            connection.request(
                "/api/v1/customer/limits", method: "POST",
                [
                    "Sec-Fetch-Site: same-origin", "Content-Type: application/json",
                    "Content-Length: \(body.utf8.count)",
                ])
            connection.send(body)
            let refused = try connection.answer()
            #expect(refused.status == 503 && refused.text.contains("during recovery"), "\(refused.text)")
            #expect(try database.number("SELECT count(*) FROM customer_limits") == 0)

            try await standby.stop(.immediate)
            try database.store("cust_0003", 72)
            try await standby.start()
            try await dashboard.untilState("it has what was stored meanwhile") {
                ($0["totals"] as? [String: Any])?["readings"] as? Int == 32
            }
            let verified = try await Heartbeat.run(
                ["verify"], ["POSTGRES_HOST": standby.host, "POSTGRES_DB": database.name, "POSTGRES_USER": "postgres"])
            // The rows of this test have offsets that no consumer would leave; that they are read is what matters.
            #expect(verified.output.contains("heartbeat [0]: offsets 0 to "), "\(verified.output)\(verified.log)")
            try await standby.stop(.fast)
        }
    }
}
