import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// Episodes as the interface tells them, and who may acknowledge them.
    @Suite("Episodes", .ownFolder) struct EpisodeTests {
        private func seeded() async throws -> TestDatabase {
            let database = try await TestDatabase.make()
            try database.seed(customers: 4, seconds: 100)
            return database
        }

        private func ids(_ dashboard: RunningDashboard, _ query: String = "") throws -> [Int] {
            let items = try dashboard.json("/api/v1/episodes?\(query)")["items"] as? [[String: Any]]
            return try #require(items).compactMap { $0["episode_id"] as? Int }
        }

        @Test("the state has the open ones, worst first, and the load of alarms")
        func state() async throws {
            let database = try await seeded()
            try database.rows("UPDATE pipeline_log SET logged_at = logged_at - interval '1 hour'")
            let dashboard = try await RunningDashboard(database: database)
            let before = try dashboard.json("/api/v1/state")
            #expect(before["open_episodes"] as? Int == 0)
            try database.episode(of: "cust_0001", "deviation", "low", since: 50)
            try database.episode(of: "cust_0002", "tachycardia", "high", since: 30)
            try database.acknowledge(database.episode(of: "cust_0003", "bradycardia", "high", since: 40), by: "Anna")
            try database.episode(of: "cust_0004", "tachycardia", "medium", since: 60)
            try database.episode(of: "cust_0004", "bradycardia", "high", since: 20)
            try database.episode(of: "cust_0001", "bradycardia", "high", since: 90, until: 80)
            // Of the day before yesterday: no alarm of today.
            try database.episode(of: "cust_0001", "bradycardia", "high", since: 200_000, until: 199_900)
            try await dashboard.untilState("all are seen") { $0["open_episodes"] as? Int == 5 }
            let episodes = try #require(try dashboard.json("/api/v1/state")["episodes"] as? [String: Any])
            let people = try #require(try dashboard.json("/api/v1/state")["people"] as? [String: Any])
            let listed = try #require(people["listed"] as? [[String: Any]])
            // Those who need somebody, the latest first; then what was high and nobody saw; then who was seen.
            #expect(
                listed.map { "\($0["section"] ?? "") \($0["status"] ?? "") \($0["customer_id"] ?? "")" } == [
                    "now high cust_0004", "now high cust_0002", "eased low cust_0001", "watched high cust_0003",
                ])
            #expect(people["counts"] as? [String: Int] == ["now": 2, "eased": 1, "watched": 1])
            #expect(people["now"] as? [String: Int] == ["high": 2, "medium": 0, "low": 0])
            let open = listed.compactMap { ($0["episodes"] as? [[String: Any]])?.first }
            #expect(open[3]["acknowledged_by"] as? String == "Anna" && open[3]["acknowledged_at"] is String)
            #expect(open[3]["acknowledged_severity"] as? String == "high" && open[3]["attention"] as? String == "seen")
            #expect(open[0]["acknowledged_by"] is NSNull && open[0]["closed_at"] is NSNull)
            #expect(open[2]["attention"] as? String == "ended")
            #expect(episodes["by_severity"] as? [String: Int] == ["high": 3, "medium": 1, "low": 1])
            #expect(episodes["alarms_last_day"] as? Int == 4)
            // Four alarms of four customers, in the 62 minutes or a few more since the first minute that was counted.
            let load = try #require(episodes["alarms_per_customer_day"] as? Double)
            #expect((22...24).contains(load))
            let closed = try database.rows(
                """
                SELECT to_char(max(closed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM episodes
                """)
            #expect(episodes["last_closed_at"] as? String == closed[0][0])
        }

        @Test("of very many people the first are listed, more are named, and all are counted and to be had")
        func many() async throws {
            let database = try await seeded()
            try database.rows(
                """
                INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                      readings, reason)
                SELECT 'c' || n, 'signal loss', 'medium', 'medium', now(), now(), now(), 0, 'no reading'
                  FROM generate_series(1, 300) AS n;
                INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
                SELECT 'c' || n, now(), 70, false, 1, 0 FROM generate_series(1, 300) AS n
                """)
            try database.episode(of: "cust_0003", "bradycardia", "high", since: 1)
            let dashboard = try await RunningDashboard(database: database)
            let state = try dashboard.json("/api/v1/state")
            #expect(state["open_episodes"] as? Int == 301)
            let people = try #require(state["people"] as? [String: Any])
            let (listed, more) = (people["listed"] as? [[String: Any]], people["more"] as? [[String: Any]])
            #expect(listed?.count == 12 && more?.count == 100)
            #expect(listed?.first?["customer_id"] as? String == "cust_0003")
            let page = try dashboard.json("/api/v1/customers?section=open&sort=urgency&limit=200&offset=200")
            #expect(page["total"] as? Int == 301 && (page["items"] as? [Any])?.count == 101)
        }

        @Test("episodes are filtered by what they are, whose they are and when they were")
        func filters() async throws {
            let database = try await seeded()
            let open = try database.episode(of: "cust_0001", "tachycardia", "medium", since: 500)
            try database.wasHigh(open)
            let long = try database.episode(of: "cust_0002", "bradycardia", "low", since: 4000, until: 100)
            try database.wasHigh(long)
            let short = try database.episode(of: "cust_0001", "signal loss", "medium", since: 3000, until: 2900)
            let hostile = try database.episode(of: hostileID, "deviation", "low", since: 2000, until: 1900)
            let dashboard = try await RunningDashboard(database: database)
            #expect(try ids(dashboard) == [open, hostile, short, long])
            #expect(try ids(dashboard, "state=open") == [open])
            // What ended last comes first among the closed ones.
            #expect(try ids(dashboard, "state=closed") == [long, hostile, short])
            #expect(try ids(dashboard, "state=all&kind=signal+loss") == [short])
            #expect(try ids(dashboard, "severity=medium") == [open, short, long])
            #expect(try ids(dashboard, "severity=high") == [long], "an open one counts as what it is now")
            #expect(try ids(dashboard, "customer_id=cust_0001") == [open, short])
            #expect(try ids(dashboard, "customer_id=nobody") == [])
            // Whatever touches the time: also what began before and has not ended.
            #expect(try ids(dashboard, "from=\(text(-150))") == [open, long])
            #expect(try ids(dashboard, "from=\(text(-2950))&until=\(text(-2500))") == [short, long])
            #expect(try ids(dashboard, "from=\(text(-60))&customer_id=cust_0002") == [])
            let one = try dashboard.json("/api/v1/episodes/\(hostile)")
            #expect(one["customer_id"] as? String == hostileID)
            #expect(one["kind"] as? String == "deviation")
            #expect(one["reason"] as? String == "<b>because</b>")
            #expect(try dashboard.get("/api/v1/episodes/999999999").status == 404)
            for (target, detail) in [
                ("episodes?state=x", "state=x: expected one of open, closed, all"),
                ("episodes?severity=urgent", "severity=urgent: expected one of low, medium, high"),
                ("episodes?kind=death", "kind=death: expected one of bradycardia, "),
                ("episodes?before=1", "before=1: expected next_before"),
                ("episodes/x", "expected the episode's number"),
                ("episodes/0", "expected the episode's number"),
                ("episodes/99999999999999999999", "expected the episode's number"),
            ] {
                let answer = try dashboard.get("/api/v1/" + target)
                #expect(answer.status == 400 && answer.detail.hasPrefix(detail), "\(target): \(answer.text)")
            }
        }

        @Test("episodes are paged, each once, also several of one moment")
        func pages() async throws {
            let database = try await seeded()
            for number in 0..<23 {
                let start = 1000 - number / 4
                try database.episode(
                    of: "c\(number)", "tachycardia", "low", since: start, until: number % 2 == 0 ? 500 : nil)
            }
            let dashboard = try await RunningDashboard(database: database)
            for (state, condition, time) in [
                ("all", "true", "opened_at"), ("open", "closed_at IS NULL", "opened_at"),
                ("closed", "closed_at IS NOT NULL", "closed_at"),
            ] {
                var shown: [Int] = []
                var next: String? = ""
                while let cursor = next {
                    let page = try dashboard.json("/api/v1/episodes?state=\(state)&limit=3&before=\(cursor)")
                    shown += (page["items"] as? [[String: Any]] ?? []).compactMap { $0["episode_id"] as? Int }
                    next = page["next_before"] as? String
                }
                let stored = try database.rows(
                    "SELECT episode_id FROM episodes WHERE \(condition) ORDER BY \(time) DESC, episode_id DESC")
                #expect(shown == stored.compactMap { $0[0].flatMap { Int($0) } }, "\(state)")
                #expect(shown.count > 10)
            }
        }

        @Test("whose signal is lost is told at once, and who has own limits")
        func customer() async throws {
            let database = try await seeded()
            try database.rows("INSERT INTO customer_limits VALUES ('cust_0002', 35, NULL)")
            try database.episode(of: "cust_0002", "signal loss", "medium", since: 5)
            let dashboard = try await RunningDashboard(["DASHBOARD_STALE_SECONDS": "86400"], database: database)
            let lost = try dashboard.json("/api/v1/customer?customer_id=cust_0002")
            #expect(lost["status"] as? String == "no signal" && lost["is_current"] as? Bool == false)
            let limits = try #require(lost["own_limits"] as? [String: Any])
            #expect(limits["heart_rate_min"] as? Int == 35 && limits["heart_rate_max"] is NSNull)
            let other = try dashboard.json("/api/v1/customer?customer_id=cust_0003")
            #expect(other["status"] as? String == "normal" && other["own_limits"] is NSNull)
            let silent = try dashboard.json("/api/v1/customers?status=no+signal")
            #expect((silent["items"] as? [[String: Any]])?.map { $0["customer_id"] as? String } == ["cust_0002"])
            try database.rows("UPDATE episodes SET closed_at = now()")
            try await eventually("the signal is back") {
                try dashboard.json("/api/v1/customers?status=no+signal")["total"] as? Int == 0
            }
        }

        @Test("metrics have the open ones by severity, and none while the database is away")
        func metrics() async throws {
            let database = try await seeded()
            try database.episode(of: "cust_0001", "tachycardia", "high", since: 30)
            try database.episode(of: "cust_0002", "tachycardia", "low", since: 30)
            let dashboard = try await RunningDashboard(database: database)
            let text = try dashboard.get("/metrics").text
            for line in [
                #"heartbeat_open_episodes{daemon="dashboard",severity="high"} 1"#,
                #"heartbeat_open_episodes{daemon="dashboard",severity="medium"} 0"#,
                #"heartbeat_open_episodes{daemon="dashboard",severity="low"} 1"#,
                #"heartbeat_alarms_last_day{daemon="dashboard"} 1"#,
                #"heartbeat_customers{daemon="dashboard",status="high"} 1"#,
                #"heartbeat_customers{daemon="dashboard",status="no_signal"} 0"#,
                #"heartbeat_customers{daemon="dashboard",status="normal"} 2"#,
                #"heartbeat_unseen_customers{daemon="dashboard",severity="high"} 1"#,
            ] {
                #expect(text.contains(line + "\n"), "\(line)")
            }
            if FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") {
                let file = try TestFolder.required().write("episodes.txt", text)
                #expect(try await shell("promtool check metrics < \(file) 2>&1") == "")
            }
            let server = try #require(PrivatePostgreSQL.current)
            try await server.stop(.immediate)
            try await eventually("unknown figures are not told") {
                let text = try dashboard.get("/metrics").text
                return !text.contains("heartbeat_open_episodes") && !text.contains("heartbeat_customers")
            }
            try await server.start()
        }

        @Test("who acknowledges is noted once, and told to who comes later")
        func acknowledge() async throws {
            let database = try await seeded()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 30)
            let dashboard = try await RunningDashboard(database: database)
            let answer = try dashboard.acknowledge(id, #"{"by": "Bj\u00f6rk O'Neill; DROP TABLE episodes \\ \"x\""}"#)
            #expect(answer.status == 200, "\(answer.text)")
            let name = #"Björk O'Neill; DROP TABLE episodes \ "x""#
            #expect(try answer.json()["acknowledged_by"] as? String == name)
            #expect(try database.rows("SELECT acknowledged_by FROM episodes")[0][0] == name)
            let second = try dashboard.acknowledge(id, #"{"by": "Carl"}"#)
            #expect(second.status == 409)
            #expect(second.headers["content-type"] == "application/problem+json")
            let when = try #require(try answer.json()["acknowledged_at"] as? String)
            #expect(second.detail == "\(name) acknowledged it before, at \(when)")
            #expect(try dashboard.acknowledge(id + 1, #"{"by": "Carl"}"#).status == 404)
            try await dashboard.untilState("everybody sees it") { state in
                let people = (state["people"] as? [String: Any])?["listed"] as? [[String: Any]]
                return (people?.first?["episodes"] as? [[String: Any]])?.first?["acknowledged_by"] as? String == name
            }
        }

        @Test("while somebody else holds the episode, one is asked to try again, and nothing is left half done")
        func locked() async throws {
            let database = try await seeded()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 30)
            let dashboard = try await RunningDashboard(database: database)
            let writer = try database.connect(as: "heartbeat-consumer")
            try writer.execute("BEGIN; UPDATE episodes SET readings = 5", unableTo: "hold the row")
            let answer = try dashboard.acknowledge(id, #"{"by": "Anna"}"#)
            #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer.text)")
            try writer.execute("COMMIT", unableTo: "let the row go")
            #expect(try database.rows("SELECT acknowledged_by FROM episodes")[0][0] == nil)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#).status == 200)
        }

        @Test(
            "only the dashboard's own page may acknowledge",
            arguments: [
                ("no word of where it comes from", [], 403),
                ("another site's page", ["Origin: http://evil.example"], 403),
                ("a file or a sandboxed frame", ["Origin: null"], 403),
                ("another port of this machine", ["Origin: http://localhost:3000"], 403),
                ("a name that begins like ours", ["Origin: http://localhost.evil.example"], 403),
                ("another scheme", ["Origin: ftp://localhost"], 403),
                ("a page of the same site", ["Sec-Fetch-Site: same-site", "Origin: http://localhost"], 403),
                (
                    "another site, by the browser's word", ["Sec-Fetch-Site: cross-site", "Origin: http://localhost"],
                    403
                ),
                ("the address bar", ["Sec-Fetch-Site: none"], 403),
                ("our own page", ["Origin: http://localhost"], 200),
                ("our own page, through a proxy with TLS", ["Origin: https://localhost"], 200),
                ("our own page, by the browser's word", ["Sec-Fetch-Site: same-origin"], 200),
            ] as [(String, [String], Int)])
        func forgery(whose: String, headers: [String], status: Int) async throws {
            let database = try await seeded()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 30)
            let dashboard = try await RunningDashboard(database: database)
            let answer = try dashboard.acknowledge(
                id, #"{"by": "Anna"}"#, headers: headers + ["Content-Type: application/json"])
            #expect(answer.status == status, "\(whose): \(answer.text)")
            let noted = try database.rows("SELECT acknowledged_by FROM episodes")[0][0]
            #expect(noted == (status == 200 ? "Anna" : nil))
        }

        @Test("what a form could send, or no name, is refused, and changes nothing")
        func refusals() async throws {
            let database = try await seeded()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 30)
            let dashboard = try await RunningDashboard(database: database)
            let own = ["Sec-Fetch-Site: same-origin"]
            let good = #"{"by": "Anna"}"#
            for type in [
                [], ["Content-Type: text/plain"], ["Content-Type: application/x-www-form-urlencoded"],
                ["Content-Type: multipart/form-data; boundary=x"], ["Content-Type: text/plain; application/json"],
            ] {
                #expect(try dashboard.acknowledge(id, good, headers: own + type).status == 415, "\(type)")
            }
            let name = String(repeating: "x", count: 51)
            for body in [
                "", "{}", "null", "[]", #""Anna""#, #"{"by": null}"#, #"{"by": 1}"#, #"{"by": ""}"#, #"{"by": " "}"#,
                #"{"by": " Anna"}"#, #"{"by": "a\u0000b"}"#, #"{"by": "a\nb"}"#, #"{"by": "\#(name)"}"#,
                #"{"by": "Anna", "episode": 1}"#, #"{"BY": "Anna"}"#, #"{"by": "Anna""#, "by=Anna", "\u{1}",
            ] {
                let answer = try dashboard.acknowledge(id, body)
                #expect(answer.status == 400, "\(body): \(answer.status) \(answer.text)")
            }
            let long = #"{"by": "Anna"}"# + String(repeating: " ", count: 2000)
            #expect(try dashboard.acknowledge(id, long).status == 413)
            #expect(try dashboard.acknowledge(id, good, target: "/api/v1/episodes/\(id)/acknowledge?x=1").status == 400)
            #expect(try dashboard.acknowledge(id, good, target: "/api/v1/episodes/-1/acknowledge").status == 400)
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let answer = try dashboard.get("/api/v1/episodes/\(id)/acknowledge", method: method)
                #expect(answer.status == 405 && answer.headers["allow"] == "POST", "\(method)")
            }
            for target in ["/api/v1/episodes/\(id)", "/api/v1/episodes", "/api/v1/episodes/\(id)/acknowledge/", "/"] {
                let answer = try dashboard.acknowledge(id, good, target: target)
                #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(target)")
            }
            let connection = try HTTPConnection(port: dashboard.port)
            connection.request(
                "/api/v1/episodes/\(id)/acknowledge", method: "POST",
                own + ["Content-Type: application/json", "Transfer-Encoding: chunked"])
            connection.send("e\r\n\(good)\r\n0\r\n\r\n")
            #expect(try connection.answer().status == 413)
            #expect(try database.rows("SELECT acknowledged_by FROM episodes")[0][0] == nil)
            #expect(try dashboard.acknowledge(id, #"{"by": "\#(name.dropLast())"}"#).status == 200)
        }

        @Test("who sends the body by the drop is let go")
        func slowBody() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let connection = try HTTPConnection(port: dashboard.port)
            connection.request(
                "/api/v1/episodes/1/acknowledge", method: "POST",
                ["Sec-Fetch-Site: same-origin", "Content-Type: application/json", "Content-Length: 100"])
            // Takes longer than a body may, but is never so silent that the connection would be idle.
            for _ in 0..<100 {
                connection.send(" ")
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(connection.isClosed())
            #expect(try dashboard.get("/healthz").status == 200)
        }
    }
}

private let hostileID = "<img src=x onerror=alert(1)>"

/// A time so many seconds from now, as in a query.
private func text(_ seconds: Double) -> String { Date(timeIntervalSinceNow: seconds).formatted(.iso8601) }

extension RunningDashboard {
    /// POST with a body, from the dashboard's own page unless the headers say something else.
    func acknowledge(
        _ id: Int, _ body: String,
        headers: [String] = ["Sec-Fetch-Site: same-origin", "Content-Type: application/json"], target: String? = nil
    ) throws -> HTTPConnection.Answer {
        let connection = try HTTPConnection(port: port)
        connection.request(
            target ?? "/api/v1/episodes/\(id)/acknowledge", method: "POST",
            headers + ["Content-Length: \(body.utf8.count)"])
        connection.send(body)
        return try connection.answer()
    }
}

extension TestDatabase {
    /// An episode that opened so many seconds ago, as the consumer would have left it.
    ///
    /// - Returns: its number.
    @discardableResult func episode(
        of customer: String, _ kind: String, _ severity: String, since: Int, until: Int? = nil
    ) throws -> Int {
        func ago(_ seconds: Int) -> String { "date_trunc('second', now()) - interval '\(seconds) s'" }
        return try number(
            """
            WITH episode AS (
                INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                      closed_at, extreme_heart_rate, readings, reason)
                VALUES ($$\(customer)$$, '\(kind)', '\(severity)', '\(severity)', \(ago(since)), \(ago(since)),
                        \(ago(until ?? since)), \(until.map(ago) ?? "NULL"), 190, 9, '<b>because</b>')
                RETURNING episode_id, raised_at, severity)
            INSERT INTO episode_changes (episode_id, changed_at, change, severity)
            SELECT episode_id, raised_at, 'opened', severity FROM episode RETURNING episode_id
            """)
    }

    /// Says that somebody has looked at an episode.
    func acknowledge(_ id: Int, by person: String) throws { try rows("SELECT acknowledge_episode(\(id), '\(person)')") }

    /// Says that an episode was of high severity before.
    func wasHigh(_ id: Int) throws { try rows("UPDATE episodes SET worst_severity = 'high' WHERE episode_id = \(id)") }
}
