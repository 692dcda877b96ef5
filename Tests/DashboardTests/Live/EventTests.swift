import Foundation
import Harness
import Testing

extension OnAServer {
    /// Server-sent events: the state at once, and each second anew.
    @Suite("Events", .ownFolder) struct EventTests {
        @Test("who comes gets the state at once, and then what changes")
        func changes() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            let dashboard = try await RunningDashboard(database: database)
            let stream = try EventStream(port: dashboard.port)
            #expect(stream.head.status == 200)
            #expect(stream.head.headers["content-type"] == "text/event-stream")
            #expect(stream.head.headers["x-accel-buffering"] == "no")
            #expect(try stream.block() == "retry: 2000")
            #expect(readings(try stream.state()) == 20)
            try database.store("cust_0002", 190, isAnomaly: true)
            try database.store("somebody new", 71)
            while true {
                let state = try stream.state()
                guard readings(state) == 22 else { continue }
                let anomaly = (state["anomalies"] as? [[String: Any]])?.first
                #expect(anomaly?["anomaly_reason"] as? String == "tachycardia (bpm=190 > threshold=180)")
                #expect((state["most_active"] as? [String])?.contains("somebody new") == true)
                let series = try #require(state["chart_points"] as? [[String: Any]])
                let points = Dictionary(
                    uniqueKeysWithValues: series.map { ($0["customer_id"] as? String, $0["points"] as? [[Int]]) })
                #expect(points["cust_0002"]??.last?.dropFirst() == [190, 1])
                #expect(points["somebody new"]??.map { $0[1] } == [71])
                break
            }
            // A late one has the same at once.
            #expect(readings(try EventStream(port: dashboard.port).state()) == 22)
        }

        @Test("there is an event a second also when nothing changes")
        func pulse() async throws {
            let dashboard = try await RunningDashboard()
            let stream = try EventStream(port: dashboard.port)
            var moments: Set<String> = []
            while moments.count < 4 { moments.insert(try #require(try stream.state()["now"] as? String)) }
            let state = try stream.state()
            #expect((state["data"] as? [String: Any])?["state"] as? String == "waiting")
        }

        @Test("a viewer that does not read is dropped, and the others notice nothing")
        func slow() async throws {
            let database = try await TestDatabase.make()
            // Long names make large events, which fill the buffers between sooner.
            try database.seed(customers: 6, seconds: 30)
            try database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason)
                SELECT 'cust_0001', now() - make_interval(secs => n), 20, true, repeat('reason ', 20000)
                  FROM generate_series(1, 20) AS n;
                UPDATE kafka_offsets SET anomalies = anomalies + 20
                """)
            let dashboard = try await RunningDashboard(database: database)
            let stuck = try HTTPConnection(port: dashboard.port, receiveBytes: 4096)
            stuck.request("/api/v1/events")
            let stream = try EventStream(port: dashboard.port)
            try await eventually("the stuck one is dropped") {
                _ = try stream.state()
                return try dashboard.get("/metrics").text.contains(
                    "heartbeat_dashboard_sse_dropped_total{daemon=\"dashboard\"} 1\n")
            }
            _ = try stream.state()
            #expect(
                try dashboard.get("/metrics").text.contains(
                    "heartbeat_dashboard_sse_clients{daemon=\"dashboard\"} 1\n"))
        }

        @Test("more viewers than there may be are told to come later")
        func crowd() async throws {
            let dashboard = try await RunningDashboard(["DASHBOARD_VIEWERS": "2"])
            let streams = try [EventStream(port: dashboard.port), EventStream(port: dashboard.port)]
            for stream in streams { _ = try stream.state() }
            let third = try dashboard.get("/api/v1/events")
            #expect(third.status == 503)
            #expect(third.headers["retry-after"] == "10")
            #expect(try dashboard.get("/api/v1/state").status == 200)
        }

        @Test("it ends within seconds with viewers connected, and their streams end in order")
        func end() async throws {
            let dashboard = try await RunningDashboard()
            let streams = try (0..<5).map { _ in try EventStream(port: dashboard.port) }
            for stream in streams { _ = try stream.state() }
            dashboard.process.kill(SIGTERM)
            #expect(try await dashboard.process.waitForEnd(within: .seconds(20)) == .exited(0))
            for stream in streams {
                #expect(throws: HarnessError.self) { while true { _ = try stream.state() } }
            }
        }

        private func readings(_ state: [String: Any]) -> Int? {
            (state["totals"] as? [String: Any])?["readings"] as? Int
        }
    }

    /// The database comes and goes.
    @Suite("The database is away", .ownFolder) struct AwayTests {
        @Test("it serves without the database, says so, and is there when the database is")
        func awayAtTheStart() async throws {
            let database = try TestDatabase.withoutSetup()
            let dashboard = try await RunningDashboard(database: database, isAnswered: false)
            #expect(try dashboard.get("/healthz").status == 200)
            let unready = try dashboard.get("/readyz")
            #expect(unready.status == 503)
            #expect(unready.detail.contains("PostgreSQL has been unreachable since "))
            try await dashboard.untilState("it says why") { state in
                let error = (state["database"] as? [String: Any])?["error"] as? String
                // The role or the database: roles are there when another test of the cluster has run setup.
                return error?.contains("does not exist") ?? false
            }
            #expect(try dashboard.get("/api/v1/throughput").status == 503)
            #expect(try dashboard.get("/api/v1/customers").status == 200)
            let setup = try await Heartbeat.run(["database", "setup"], database.settings(as: "postgres"))
            #expect(setup.end == .exited(0))
            try await dashboard.untilReady()
            #expect(try dashboard.get("/api/v1/throughput").status == 200)
        }

        @Test("while the database is away viewers keep the last values and know since when; it comes back by itself")
        func awayAndBack() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            let dashboard = try await RunningDashboard(database: database)
            let stream = try EventStream(port: dashboard.port)
            #expect(condition(of: try stream.state()) == "ready")
            database.disconnect()
            try await database.cluster.stop(.fast)
            var state = try stream.state()
            while condition(of: state) == "ready" { state = try stream.state() }
            #expect((state["totals"] as? [String: Any])?["readings"] as? Int == 20)
            #expect(state["live_since"] is NSNull)
            #expect((state["database"] as? [String: Any])?["since"] is String)
            #expect(try dashboard.get("/readyz").status == 503)
            let refused = try dashboard.get("/api/v1/readings?customer_id=cust_0001")
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] != nil)
            // The stream goes on.
            _ = try stream.state()
            try await database.cluster.start()
            while condition(of: state) == "away" { state = try stream.state() }
            #expect(try dashboard.get("/readyz").status == 200)
            #expect(try dashboard.get("/api/v1/readings?customer_id=cust_0001").status == 200)
        }

        @Test("data without new readings are stale")
        func stale() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            try database.rows("UPDATE customer_state SET recorded_at = recorded_at - interval '1 hour'")
            let dashboard = try await RunningDashboard(["DASHBOARD_STALE_SECONDS": "60"], database: database)
            try await dashboard.untilState("the data are stale") { state in
                (state["data"] as? [String: Any])?["state"] as? String == "stale"
            }
        }

        private func condition(of state: [String: Any]) -> String? {
            (state["database"] as? [String: Any])?["state"] as? String
        }
    }
}

extension OnAServer {
    /// From Kafka to the viewer, with a real consumer between.
    @Suite("The whole way", .ownFolder) struct WholeWayTests {
        @Test("what is published is on the page, counted by its outcome, and the consumer's state with it")
        func published() async throws {
            let pipeline = try await Pipeline()
            let dashboard = try await RunningDashboard(database: pipeline.database)
            let consumer = try pipeline.startConsumer("consumer", ["METRICS_DIRECTORY": try TestFolder.required().path])
            let stream = try EventStream(port: dashboard.port)
            let now = Date.now.formatted(.iso8601)
            try pipeline.broker.publish([
                Message(customer: "cust_0001", timestamp: now, heartRate: 72),
                Message(customer: "<b>", timestamp: now, heartRate: 207),
                Message(customer: "cust_0001", timestamp: now, heartRate: 999),
            ])
            while true {
                let state = try stream.state()
                let totals = try #require(state["totals"] as? [String: Int])
                guard totals["rejected"] == 1, totals["readings"] == 2 else { continue }
                #expect(totals == ["readings": 2, "customers": 2, "anomalies": 1, "rejected": 1])
                let anomaly = (state["anomalies"] as? [[String: Any]])?.first
                #expect(anomaly?["customer_id"] as? String == "<b>")
                #expect(anomaly?["anomaly_reason"] as? String == "tachycardia (bpm=207 > threshold=180)")
                let minutes = try #require(state["throughput"] as? [[String: Any]])
                #expect(minutes.reduce(0) { $0 + ($1["valid"] as? Int ?? 0) } == 1)
                #expect(minutes.reduce(0) { $0 + ($1["invalid"] as? Int ?? 0) } == 1)
                break
            }
            try await dashboard.untilState("the consumer is ready and its lag is known") { state in
                let daemons = state["daemons"] as? [[String: Any]] ?? []
                return daemons.contains { $0["name"] as? String == "consumer" && $0["state"] as? String == "ready" }
                    && (state["lag"] as? [String: Any])?["messages"] as? Int == 0
            }
            try await pipeline.stop(consumer)
        }
    }
}
