import Foundation
import Harness
import Testing

extension OnAServer {
    /// Every answer against what the database says.
    @Suite("The interface", .ownFolder) struct APITests {
        @Test("the state has the database's figures")
        func state() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 12, seconds: 100)
            let dashboard = try await RunningDashboard(database: database)
            let state = try dashboard.json("/api/v1/state")
            #expect(try described(state["totals"]) == #"{"anomalies":10,"customers":12,"readings":1200,"rejected":3}"#)
            #expect((state["database"] as? [String: Any])?["state"] as? String == "ready")
            #expect((state["data"] as? [String: Any])?["state"] as? String == "live")
            #expect((state["anomaly_rate"] as? [String: Any])?["total"] as? Double == 0.008333)
            #expect((state["anomaly_rate"] as? [String: Any])?["last_5_minutes"] as? Double == 0.375)
            #expect(try described(state["limits"]) == #"{"heart_rate_max":180,"heart_rate_min":40}"#)
            #expect(state["open_episodes"] as? Int == 0)
            #expect(state["lag"] is NSNull)
            #expect((state["most_active"] as? [String])?.count == 6)
            let anomalies = try database.rows(
                """
                SELECT to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM heart_rate_readings
                 WHERE is_anomaly ORDER BY recorded_at DESC
                """)
            let shown = (state["anomalies"] as? [[String: Any]])?.map { $0["recorded_at"] as? String }
            #expect(shown == anomalies.map(\.[0]))
            let minutes = try #require(state["throughput"] as? [[String: Any]])
            #expect(minutes.count == 3)
            #expect(minutes.allSatisfy { $0["valid"] as? Int == 10 && $0["anomaly"] as? Int == 6 })
            #expect(minutes.allSatisfy { $0["invalid"] as? Int == 2 })
        }

        /// Ids that are easily taken for others, or for something else.
        private static let trickyIDs = [
            "caf\u{e9}", "cafe\u{301}", "\"\u{301}x", "\\\u{308}y", "{a,\"b\"}", "NULL", "constructor", "__proto__",
            "../x", "%00", "\u{202e}evil", String(repeating: "\u{1F469}", count: 50), "a\nb",
        ]

        @Test("ids are bytes: each is listed, found, drawn and exported as it is")
        func tricky() async throws {
            let ids = Self.trickyIDs
            let database = try await TestDatabase.make()
            try database.seed(customers: 0, seconds: 1)
            for id in ids { try database.store(id, 71) }
            let dashboard = try await RunningDashboard(database: database)
            func same(_ one: Any?, _ other: String) -> Bool {
                (one as? String).map { $0.utf8.elementsEqual(other.utf8) } ?? false
            }
            let list = try dashboard.json("/api/v1/customers?limit=200")["items"] as? [[String: Any]]
            let state = try dashboard.json("/api/v1/state")
            #expect((state["most_active"] as? [String])?.count == 6)
            for id in ids {
                #expect(list?.filter { same($0["customer_id"], id) }.count == 1, "\(id.debugDescription)")
                let query = "customer_id=" + id.utf8.map { "%" + String(Int($0) + 256, radix: 16).suffix(2) }.joined()
                #expect(same(try dashboard.json("/api/v1/customer?\(query)")["customer_id"], id))
                #expect(try dashboard.json("/api/v1/readings?\(query)")["count"] as? Int == 1)
                let lines = try dashboard.get("/api/v1/readings.csv?\(query)").text.split(separator: "\r\n")
                #expect(lines.count == 2)
            }
            let chart = try dashboard.json("/api/v1/chart?minutes=1")["series"] as? [[String: Any]]
            #expect(chart?.allSatisfy { ($0["points"] as? [Any])?.count == 1 } == true)
        }

        @Test("customers are found, sorted and paged")
        func customers() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 120, seconds: 3)
            try database.store("<img src=x onerror=alert(1)>", 200, isAnomaly: true)
            let dashboard = try await RunningDashboard(["DASHBOARD_STALE_SECONDS": "3600"], database: database)
            func ids(_ query: String) throws -> (total: Int, ids: [String]) {
                let list = try dashboard.json("/api/v1/customers?" + query)
                let items = try #require(list["items"] as? [[String: Any]])
                return (try #require(list["total"] as? Int), items.compactMap { $0["customer_id"] as? String })
            }
            let all = try database.rows("SELECT customer_id FROM customer_state ORDER BY customer_id").compactMap(\.[0])
            var collected: [String] = []
            for offset in stride(from: 0, to: 150, by: 50) {
                let page = try ids("limit=50&offset=\(offset)")
                #expect(page.total == 121)
                collected += page.ids
            }
            #expect(collected == all)
            #expect(try ids("limit=2&order=desc").ids == ["cust_0120", "cust_0119"])
            #expect(try ids("search=CUST_011&limit=200").total == 10)
            #expect(try ids("search=onerror").ids == ["<img src=x onerror=alert(1)>"])
            #expect(try ids("search=no+such").total == 0)
            // The flag on a reading is no episode: nobody is anything but normal.
            #expect(try ids("status=normal").total == 121)
            #expect(try ids("status=high").total == 0)
            #expect(try ids("section=open").total == 0)
            let rates = try database.rows(
                "SELECT customer_id FROM customer_state ORDER BY heart_rate DESC, customer_id LIMIT 5"
            ).compactMap(\.[0])
            #expect(try ids("sort=heart_rate&order=desc&limit=5").ids == rates)
            // From before the start; looked up when the row is shown.
            let first = try #require(
                (try dashboard.json("/api/v1/customers?search=cust_0005")["items"] as? [[String: Any]])?.first)
            let trend = (first["trend"] as? [Any])?.compactMap { $0 as? Int }
            #expect(trend?.isEmpty == false && Set(trend ?? []) == [65])
            #expect(first["readings"] as? Int == 3)
        }

        @Test("one customer's readings are the database's, and the file has every one of them")
        func readings() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 1200)
            let dashboard = try await RunningDashboard(database: database)
            let query = "customer_id=cust_0001&from=\(Self.text(-7200))&until=\(Self.text(60))"
            let bucketed = try dashboard.json("/api/v1/readings?\(query)&buckets=1000")
            #expect(bucketed["count"] as? Int == 1200)
            #expect(bucketed["anomalies"] as? Int == 120)
            #expect(bucketed["min"] as? Int == 30)
            #expect(bucketed["max"] as? Int == 61)
            let width = try #require(bucketed["bucket_seconds"] as? Int)
            #expect(width > 0)
            let expected = try database.rows(
                """
                SELECT (extract(epoch FROM date_bin('\(width) s', recorded_at, 'epoch')) * 1000)::bigint AS bucket,
                       min(heart_rate), max(heart_rate), count(*) FILTER (WHERE is_anomaly),
                       percentile_disc(0.5) WITHIN GROUP (ORDER BY heart_rate)
                  FROM heart_rate_readings WHERE customer_id = 'cust_0001' GROUP BY 1 ORDER BY 1
                """)
            #expect((bucketed["activities"] as? [Any])?.isEmpty == true, "nobody told one")
            let points = try #require(bucketed["points"] as? [[Int]])
            #expect(points.map { $0.map { "\($0)" } } == expected.map { $0.compactMap(\.self) })

            let few = "customer_id=cust_0001&from=\(Self.text(-300))&until=\(Self.text(60))"
            let raw = try dashboard.json("/api/v1/readings?\(few)")
            #expect(raw["bucket_seconds"] as? Int == 0)
            #expect((raw["points"] as? [[Int]])?.count == raw["count"] as? Int)

            let file = try dashboard.get("/api/v1/readings.csv?\(query)")
            #expect(file.headers["content-disposition"] == "attachment; filename=\"heartbeat-cust_0001.csv\"")
            let lines = try database.rows(
                """
                SELECT 'cust_0001,' || to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ',' || heart_rate || ','
                       || is_anomaly || ',' || coalesce(anomaly_reason, '') || ','
                  FROM heart_rate_readings WHERE customer_id = 'cust_0001' ORDER BY recorded_at
                """
            ).compactMap(\.[0])
            let header = "customer_id,recorded_at,heart_rate,is_anomaly,anomaly_reason,activity"
            #expect(file.text == ([header] + lines).map { $0 + "\r\n" }.joined())

            let details = try dashboard.json("/api/v1/customer?customer_id=cust_0002")
            #expect(details["readings"] as? Int == 1200)
            #expect(details["created_at"] is String && details["first_recorded_at"] is String)
            #expect(try dashboard.get("/api/v1/customer?customer_id=nobody").status == 404)
        }

        @Test("activities come with the readings: each one's own, and the most frequent one of a bucket")
        func activities() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 1200)
            // Of ten seconds three are told, two of them a walk; of every second minute none.
            try database.rows(
                """
                UPDATE heart_rate_readings SET activity = CASE date_part('second', recorded_at)::integer % 10
                                                          WHEN 1 THEN 3 WHEN 2 THEN 2 WHEN 3 THEN 2 END
                 WHERE date_part('minute', recorded_at)::integer % 2 = 0
                """)
            let dashboard = try await RunningDashboard(database: database)
            let query = "customer_id=cust_0001&from=\(Self.text(-7200))&until=\(Self.text(60))"
            let bucketed = try dashboard.json("/api/v1/readings?\(query)&buckets=130")
            #expect(bucketed["bucket_seconds"] as? Int == 60)
            let points = try #require(bucketed["points"] as? [[Int]])
            let activities = try #require(bucketed["activities"] as? [Any])
            let expected: [String?] = points.map { $0[0] / 60_000 % 2 == 0 ? "walk" : nil }
            // The first and the last minute may lack the seconds with one.
            #expect(activities.map { $0 as? String }.dropFirst().dropLast() == expected.dropFirst().dropLast())

            let few = "customer_id=cust_0001&from=\(Self.text(-240))&until=\(Self.text(60))"
            let raw = try dashboard.json("/api/v1/readings?\(few)")
            let words = try #require(raw["activities"] as? [Any]).map { $0 as? String }
            let stored = try database.rows(
                """
                SELECT (ARRAY['sleep', 'rest', 'walk', 'exercise'])[activity + 1] FROM heart_rate_readings
                 ORDER BY recorded_at DESC LIMIT \(words.count)
                """
            ).map { $0[0] }
            #expect(words == stored.reversed() && words.contains("exercise"))
            let file = try dashboard.get("/api/v1/readings.csv?\(query)").text
            #expect(file.contains(",exercise\r\n") && file.contains(",false,,\r\n"))
        }

        @Test("a file of more rows than are read at once is complete, without any twice")
        func longFile() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 12_000)
            // Several at one moment, so that a part ends between them.
            try database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                SELECT 'cust_0001', date_trunc('second', now()), 70, false FROM generate_series(1, 6000)
                """)
            let dashboard = try await RunningDashboard(database: database)
            let file = try dashboard.get(
                "/api/v1/readings.csv?customer_id=cust_0001&from=\(Self.text(-86_400))&until=\(Self.text(60))")
            #expect(file.text.components(separatedBy: "\r\n").count == 18_000 + 2)
            let objects = try dashboard.json(
                "/api/v1/readings.json?customer_id=cust_0001&from=\(Self.text(-86_400))&until=\(Self.text(60))")
            #expect((objects["items"] as? [[String: Any]])?.count == 18_000)
        }

        @Test("anomalies are paged from the newest to the oldest, each once")
        func anomalies() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 600)
            // Several at one moment.
            try database.rows(
                """
                UPDATE heart_rate_readings SET is_anomaly = true
                 WHERE recorded_at = (SELECT max(recorded_at) FROM heart_rate_readings)
                """)
            let dashboard = try await RunningDashboard(database: database)
            var shown: [String] = []
            var next: String? = ""
            while let cursor = next {
                let page = try dashboard.json("/api/v1/anomalies?limit=7&before=\(cursor)")
                let items = try #require(page["items"] as? [[String: Any]])
                shown += items.map { "\($0["customer_id"] ?? "") \($0["recorded_at"] ?? "")" }
                next = page["next_before"] as? String
            }
            let stored = try database.rows(
                """
                SELECT customer_id || ' ' || to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                  FROM heart_rate_readings WHERE is_anomaly ORDER BY recorded_at DESC, id DESC
                """
            ).compactMap(\.[0])
            #expect(stored.count == 62)
            #expect(shown == stored)
            let one = try dashboard.json("/api/v1/anomalies?customer_id=cust_0002")
            #expect((one["items"] as? [[String: Any]])?.count == 1)
        }

        @Test("the chart has the most active customers, raw or as lowest and highest")
        func chart() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 8, seconds: 3000)
            let dashboard = try await RunningDashboard(database: database)
            let active = try #require(try dashboard.json("/api/v1/state")["most_active"] as? [String])
            for minutes in [1, 5, 15, 60] {
                let chart = try dashboard.json("/api/v1/chart?minutes=\(minutes)")
                let series = try #require(chart["series"] as? [[String: Any]])
                #expect(series.compactMap { $0["customer_id"] as? String } == active)
                let width = try #require(chart["bucket_seconds"] as? Int)
                #expect((width == 0) == (minutes <= 5))
                for line in series {
                    let points = try #require(line["points"] as? [[Int]])
                    #expect((50...400).contains(points.count))
                    #expect(points.allSatisfy { $0.count == (width == 0 ? 3 : 5) })
                }
                if active.contains("cust_0001") {
                    let first = series.first { $0["customer_id"] as? String == "cust_0001" }
                    let points = try #require(first?["points"] as? [[Int]])
                    #expect(points.contains { $0[1] == 30 }, "the lowest reading is not hidden")
                }
            }
            #expect((try dashboard.json("/api/v1/throughput?minutes=2")["minutes"] as? [Any])?.count == 2)
        }

        @Test(
            "a parameter that can not be used is refused, with what was expected",
            arguments: [
                ("/api/v1/chart?minutes=2", "minutes=2: expected one of 1, 5, 15, 60"),
                ("/api/v1/chart?minutes=x", "minutes=x: expected an integer from 1 to 60"),
                ("/api/v1/customers?limit=0", "limit=0: expected an integer from 1 to 200"),
                ("/api/v1/customers?limit=1&limit=2", "limit: expected only once"),
                ("/api/v1/customers?sort=x", "sort=x: expected one of customer_id, "),
                ("/api/v1/customers?nonsense=1", "unknown parameter \"nonsense\": expected some of search, "),
                ("/api/v1/customers?search=%ff", "search: expected a text in UTF-8"),
                ("/api/v1/customers?search=%00", "search: expected a text in UTF-8 without NUL"),
                ("/api/v1/customers?search=%zz", "search: expected a text in UTF-8"),
                ("/api/v1/readings", "customer_id: expected 1 to 50 characters"),
                ("/api/v1/readings?customer_id=a&from=yesterday", "from=yesterday: expected a time"),
                (
                    "/api/v1/readings?customer_id=a&from=2026-02-02T00:00:00Z&until=2026-02-01T00:00:00Z",
                    "from=2026-02-02T00:00:00Z: expected a time before until"
                ),
                (
                    "/api/v1/readings.csv?customer_id=a&from=2015-02-02T00:00:00Z&until=2026-02-01T00:00:00Z",
                    "from=2015-02-02T00:00:00Z: expected a time at most 3660 days before until"
                ),
                ("/api/v1/anomalies?before=1", "before=1: expected next_before of the page before"),
                ("/api/v1/state?x=1", "unknown parameter \"x\": expected none"),
            ])
        func refusals(_ target: String, _ expected: String) async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let answer = try dashboard.get(target)
            #expect(answer.status == 400)
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(answer.detail.hasPrefix(expected), "\(answer.detail)")
        }

        /// A time so many seconds from now, as in a query.
        private static func text(_ seconds: Double) -> String {
            Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
        }

        private func described(_ object: Any?) throws -> String {
            let object = try #require(object)
            return String(
                decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
        }
    }
}
