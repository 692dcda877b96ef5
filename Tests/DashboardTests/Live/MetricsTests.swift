import Foundation
import Harness
import Testing

extension OnAServer {
    /// The files of all daemons on one page, and what the state says of them.
    @Suite("Metrics", .ownFolder) struct MetricsTests {
        private func file(_ name: String, _ samples: String, age: Double = 0) throws {
            let updated = Date().timeIntervalSince1970 - age
            try TestFolder.required().write(
                "\(name).prom",
                """
                # HELP heartbeat_build_info The program's version.
                # TYPE heartbeat_build_info gauge
                heartbeat_build_info{daemon="\(name)",version="9.8.7"} 1
                # HELP heartbeat_updated_timestamp_seconds When these figures were written.
                # TYPE heartbeat_updated_timestamp_seconds gauge
                heartbeat_updated_timestamp_seconds{daemon="\(name)"} \(updated)
                \(samples)

                """)
        }

        @Test("families of one name are together, under one HELP and one TYPE")
        func merged() async throws {
            let lag = """
                # HELP heartbeat_consumer_lag_messages Messages that are not stored yet.
                # TYPE heartbeat_consumer_lag_messages gauge
                heartbeat_consumer_lag_messages{daemon="%"} 4
                # HELP heartbeat_consumer_batch_messages Messages in a batch.
                # TYPE heartbeat_consumer_batch_messages histogram
                heartbeat_consumer_batch_messages_bucket{daemon="%",le="1"} 1
                heartbeat_consumer_batch_messages_bucket{daemon="%",le="+Inf"} 2
                heartbeat_consumer_batch_messages_sum{daemon="%"} 5
                heartbeat_consumer_batch_messages_count{daemon="%"} 2
                this is no metric
                """
            for name in ["consumer", "consumer-1"] {
                try file(name, lag.replacingOccurrences(of: "%", with: name))
            }
            let dashboard = try await RunningDashboard(isAnswered: false)
            let answer = try dashboard.get("/metrics")
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = answer.text.split(separator: "\n")
            var families: [String] = []
            for line in lines {
                let words = line.split(separator: " ")
                let name = String(line.hasPrefix("#") ? words[2] : line.prefix { $0 != "{" && $0 != " " })
                let family = name.replacing(/_(bucket|sum|count)$/, with: "")
                if families.last != family { families.append(family) }
            }
            #expect(families.count == Set(families).count, "\(families)")
            #expect(lines.filter { $0.hasPrefix("# TYPE heartbeat_build_info ") }.count == 1)
            #expect(lines.filter { $0.hasPrefix("heartbeat_build_info{") }.count == 3)
            #expect(lines.contains { $0 == "heartbeat_consumer_lag_messages{daemon=\"consumer-1\"} 4" })
            #expect(!answer.text.contains("no metric"))
            #expect(lines.contains { $0.hasPrefix("heartbeat_dashboard_requests_total{daemon=\"dashboard\"} ") })
            if FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") {
                let text = try TestFolder.required().write("all.txt", answer.text)
                #expect(try await shell("promtool check metrics < \(text) 2>&1") == "")
            }
        }

        @Test("the state says how each daemon is, and adds the lags up")
        func daemons() async throws {
            try file(
                "consumer",
                """
                heartbeat_ready{daemon="consumer"} 1
                heartbeat_consumer_lag_messages{daemon="consumer"} 4
                heartbeat_consumer_lag_seconds{daemon="consumer"} 0.5
                """, age: -3600)
            try file(
                "consumer-1",
                """
                heartbeat_ready{daemon="consumer-1"} 1
                heartbeat_waiting_since_timestamp_seconds{daemon="consumer-1",for="Kafka"} 1700000000
                heartbeat_consumer_lag_messages{daemon="consumer-1"} 3
                heartbeat_consumer_lag_seconds{daemon="consumer-1"} 0.25
                """, age: -3600)
            try file(
                "consumer-2", "heartbeat_consumer_lag_messages{daemon=\"consumer-2\"} 1000", age: 3600)
            let dashboard = try await RunningDashboard()
            let state = try dashboard.json("/api/v1/state")
            let daemons = try #require(state["daemons"] as? [[String: Any]])
            let found = Dictionary(
                uniqueKeysWithValues: daemons.map { ($0["name"] as? String ?? "", $0["state"] as? String) })
            #expect(
                found == [
                    "consumer": "ready", "consumer-1": "waiting", "consumer-2": "silent", "producer": "absent",
                    "dashboard": "ready",
                ])
            let waiting = try #require(daemons.first { $0["name"] as? String == "consumer-1" })
            #expect(waiting["waiting_for"] as? [String] == ["Kafka"])
            #expect(waiting["since"] as? String == "2023-11-14T22:13:20.000Z")
            #expect(waiting["version"] as? String == "9.8.7")
            let lag = try #require(state["lag"] as? [String: Any])
            #expect(lag["messages"] as? Int == 7)
            #expect(lag["seconds"] as? Double == 0.5)
        }
    }
}
