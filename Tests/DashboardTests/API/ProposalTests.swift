import Foundation
import Harness
import HeartRate
import Testing

extension OnAServer {
    /// What the page says of a heart from where detection stands.
    @Suite("Proposed limits", .ownFolder) struct ProposalTests {
        private func seeded() async throws -> TestDatabase {
            let database = try await TestDatabase.make()
            try database.seed(customers: 4, seconds: 100)
            return database
        }

        @Test("own limits are proposed for a heart that is slow in the night, until somebody sets them")
        func proposal() async throws {
            var (detector, minute) = (Detector(), Int64(29_500_000))
            for _ in 0..<4 {
                for (rate, hours) in [(60, 16), (38, 8)] as [(Int16, Int64)] {
                    for _ in 0..<hours * 60 {
                        minute += 1
                        let sample = Sample(
                            rate + Int16(minute % 3), at: Instant(microsecondsSince1970: minute * 60_000_000))
                        detector.take(sample, rules: EpisodeRules(), limits: CustomerLimits()) { _, _ in }
                    }
                }
            }
            var bytes: [UInt8] = []
            detector.writeCheckpoint(to: &bytes)
            let state = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let database = try await seeded()
            try database.rows(
                """
                UPDATE customer_state SET detector = decode('\(state)', 'hex')
                 WHERE customer_id IN ('cust_0002', 'cust_0003')
                """)
            try database.rows("INSERT INTO customer_limits (customer_id, profile) VALUES ('cust_0002', 'athlete')")
            let dashboard = try await RunningDashboard(database: database)
            let slow = try dashboard.json("/api/v1/customer?customer_id=cust_0003")
            let proposed = try #require(slow["proposed_limits"] as? [String: Any])
            #expect(proposed["heart_rate_min"] as? Int == 31 && proposed["heart_rate_max"] is NSNull)
            for id in ["cust_0002", "cust_0004"] {
                let other = try dashboard.json("/api/v1/customer?customer_id=\(id)")
                #expect(other["proposed_limits"] is NSNull, "\(id)")
            }
        }
    }
}
