import Foundation
import Harness
import Testing

extension OnAServer {
    /// Hostile clients, and what every answer says to a browser.
    @Suite("Security", .ownFolder) struct SecurityTests {
        @Test("every answer, also an error, keeps the browser from doing anything else with it")
        func headers() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            for target in ["/", "/api/v1/state", "/nothing", "/metrics", "/healthz", "/api/v1/chart?minutes=x"] {
                for host in ["localhost", "evil.example"] {
                    let answer = try dashboard.get(target, host: host)
                    let policy = answer.headers["content-security-policy"] ?? ""
                    #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
                    #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
                    #expect(answer.headers["x-content-type-options"] == "nosniff")
                    #expect(answer.headers["referrer-policy"] == "no-referrer")
                }
            }
        }

        @Test(
            "a name that is not the dashboard's is refused",
            arguments: [
                ("localhost", 200), ("127.0.0.1:8501", 200), ("[::1]:9", 200), ("LOCALHOST:1", 200),
                ("hearts.example", 200), ("hearts.example:443", 200), ("evil.example", 421),
                ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("[::1", 421),
                ("localhost@evil.example", 421),
            ])
        func host(_ host: String, _ status: Int) async throws {
            let dashboard = try await RunningDashboard(["DASHBOARD_HOSTS": "hearts.example"], isAnswered: false)
            #expect(try dashboard.get("/api/v1/state", host: host).status == status)
        }

        @Test("a request without a host is refused")
        func noHost() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let connection = try HTTPConnection(port: dashboard.port)
            connection.send("GET /api/v1/state HTTP/1.1\r\n\r\n")
            #expect(try connection.answer().status == 421)
        }

        @Test(
            "no file but the page's own can be had",
            arguments: [
                "/static/../../etc/passwd", "/static/..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/etc/passwd",
                "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/static//etc/passwd", "/static/%2fetc%2fpasswd",
                "/static/..", "/static/.", "/static/", "/../etc/passwd", "/etc/passwd", "/static/passwd.js%00.html",
                "/static/secret.txt", "/static/.hidden.js", "/static/folder%2finner.js",
                "/static/../secret.js", "/static/%2e%2e/secret.js", "/static/..%2fsecret.js",
                "/static/%2e%2e%2fsecret.js", "/static/folder/../../secret.js", "/static/folder/..%2f..%2fsecret.js",
                "/static/folder/%2e%2e/secret.js", "/static/folder%2f%2e%2e/secret.js", "/static/folder/.hidden.js",
                "/static/.folder/inner.js", "/static/folder/deeper/inner.js", "/static/folder/", "/static/folder",
                "/static/folder//inner.txt", "/static/folder/%2fetc%2fpasswd", "/static/%2f/secret.js",
                "/static/folder/inner.js%00.css",
            ])
        func traversal(_ target: String) async throws {
            let folder = try TestFolder.required()
            for name in ["folder/deeper", ".folder"] {
                try FileManager.default.createDirectory(
                    atPath: folder.path + "/page/" + name, withIntermediateDirectories: true)
            }
            try folder.write("secret.js", "secret")
            try folder.write("page/index.html", "<p>page")
            try folder.write("page/secret.txt", "secret")
            try folder.write("page/.hidden.js", "secret")
            for name in ["folder/inner.txt", "folder/.hidden.js", "folder/deeper/inner.js", ".folder/inner.js"] {
                try folder.write("page/" + name, "secret")
            }
            try folder.write("page/folder/inner.js", "secret")
            for settings in [["DASHBOARD_PAGE_DIRECTORY": folder.path + "/page"], [:]] {
                let dashboard = try await RunningDashboard(settings, isAnswered: false)
                let answer = try dashboard.get(target)
                #expect(answer.status == 404, "\(answer.text)")
                #expect(!answer.text.contains("root:") && !answer.text.contains("secret"))
            }
        }

        @Test("the page can be served from a folder, as it is now")
        func pageDirectory() async throws {
            let folder = try TestFolder.required()
            try FileManager.default.createDirectory(
                atPath: folder.path + "/lib", withIntermediateDirectories: true)
            try folder.write("index.html", "<!-- include head.html -->\n<script src=\"static/a.js\" type=\"module\">")
            try folder.write("head.html", "<p>head</p>\n")
            try folder.write("a.js", "import { b } from \"./lib/b.js\";\n")
            try folder.write("lib/b.js", "export const b = 1;\n")
            let dashboard = try await RunningDashboard(["DASHBOARD_PAGE_DIRECTORY": folder.path], isAnswered: false)
            let page = try dashboard.get("/")
            #expect(page.text.hasPrefix("<p>head</p>\n<script"))
            #expect(page.text.contains("<link rel=\"modulepreload\" href=\"static/lib/b.js\">"))
            #expect(try dashboard.get("/static/lib/b.js").text == "export const b = 1;\n")
            try folder.write("lib/b.js", "export const b = 2;\n")
            #expect(try dashboard.get("/static/lib/b.js").text == "export const b = 2;\n")
        }

        @Test("what a client sends does not come back in a header")
        func headerInjection() async throws {
            let database = try await TestDatabase.make()
            let dashboard = try await RunningDashboard(database: database)
            let id = "a%22%0d%0aSet-Cookie:%20x=1%0d%0a%0d%0a%3Cscript%3E"
            let file = try dashboard.get("/api/v1/readings.csv?customer_id=\(id)")
            #expect(file.status == 200)
            #expect(file.headers["set-cookie"] == nil)
            #expect(
                file.headers["content-disposition"]
                    == "attachment; filename=\"heartbeat-a___Set-Cookie__x_1_____script_.csv\"")
            let problem = try dashboard.get("/api/v1/customers?sort=\(id)")
            #expect(problem.status == 400)
            #expect(problem.headers["set-cookie"] == nil)
        }

        @Test(
            "nothing can be changed, and no body is taken",
            arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
        func methods(_ method: String) async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let answer = try dashboard.get("/api/v1/state", method: method)
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD")
        }

        @Test("a body without end is not read")
        func endlessBody() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            for header in ["Content-Length: 99999999999", "Transfer-Encoding: chunked"] {
                let connection = try HTTPConnection(port: dashboard.port)
                connection.request("/api/v1/state", [header])
                connection.send("ffffff\r\n" + String(repeating: "x", count: 100_000))
                let answer = try? connection.answer()
                // What is still on its way can make the system end the connection before the answer is read.
                #expect(answer == nil || answer?.status == 413)
                #expect(connection.isClosed())
            }
            #expect(try dashboard.get("/healthz").status == 200)
        }

        @Test("who asks for /healthz again and again and never reads an answer is not read either, and holds nobody up")
        func deafHealth() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            #expect(try dashboard.get("/healthz").status == 200)
            let before = dashboard.process.peakKilobytes
            let connection = try HTTPConnection(port: dashboard.port, receiveBytes: 4096, sendSeconds: 5)
            let requests = String(repeating: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 5000)
            // 44 MB of requests, whose answers would be some 150 MB.
            var pieces = 0
            while pieces < 200, connection.send(requests) { pieces += 1 }
            #expect(pieces < 200, "the server stopped to read")
            #expect(try dashboard.get("/healthz").status == 200)
            let grown = (dashboard.process.peakKilobytes - before) / 1024
            #expect(grown < 40, "\(grown) MB more after \(pieces) pieces of 5000 requests")
        }

        @Test("headers and addresses that are too long are refused, and the service stays up")
        func oversized() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let long = String(repeating: "x", count: 20_000)
            let many = (0..<500).map { "X-\($0): y" }
            for (target, headers) in [
                ("/api/v1/state", ["X-Long: \(long)"]), ("/api/v1/state", many), ("/\(long)", []),
                ("/api/v1/customers?search=\(long)", []),
            ] {
                let connection = try HTTPConnection(port: dashboard.port)
                connection.request(target, headers)
                let status = try? connection.answer().status
                #expect(status == nil || (400..<500).contains(status ?? 0), "\(String(describing: status))")
            }
            for garbage in ["\u{16}\u{3}\u{1}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n"] {
                let connection = try HTTPConnection(port: dashboard.port)
                connection.send(garbage)
                let status = try? connection.answer().status
                #expect(status == nil || status != 200)
            }
            #expect(try dashboard.get("/healthz").status == 200)
        }

        @Test("it does not begin to listen where others could come without a password")
        func closedByDefault() async throws {
            for address in ["0.0.0.0", "::", "192.0.2.1", "128.0.0.1"] {
                let ended = try await Heartbeat.run(["dashboard"], ["DASHBOARD_ADDRESS": address])
                #expect(ended.end == .exited(78))
                #expect(ended.log.contains("name a file with its hash by DASHBOARD_PASSWORD_FILE"))
            }
            let checked = try await Heartbeat.run(
                ["dashboard", "--check-config"], ["DASHBOARD_ADDRESS": "127.0.0.2"])
            #expect(checked.end == .exited(0))
        }

        @Test("a port that somebody else has is an error that says so")
        func portTaken() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let second = try await Heartbeat.run(
                ["dashboard"],
                dashboard.database.settings(as: "heartbeat-dashboard").merging(
                    ["DASHBOARD_PORT": "\(dashboard.port)"]) { $1 })
            #expect(second.end == .exited(70))
            #expect(second.log.contains("DASHBOARD_ADDRESS and DASHBOARD_PORT say where it listens"))
        }
    }

    /// With DASHBOARD_PASSWORD_FILE.
    @Suite("The password", .ownFolder) struct PasswordTests {
        // Of "correct horse": openssl passwd -6 -salt heartbeat
        private static let hash =
            "$6$heartbeat$Hx2k87YwnasG/boL38RTmyLfJX4vt5uYs8GERzm6gwj5a7DWzqybPkSr1M3GqTzcOVQxmQvAduuefnkWb0IUh0"

        private func start(_ settings: [String: String] = [:]) async throws -> RunningDashboard {
            let file = try TestFolder.required().write("password", Self.hash + "\n")
            return try await RunningDashboard(
                ["DASHBOARD_PASSWORD_FILE": file].merging(settings) { $1 }, isAnswered: false)
        }

        private func header(_ password: String, user: String = "anybody") -> [String] {
            ["Authorization: Basic " + Data("\(user):\(password)".utf8).base64EncodedString()]
        }

        @Test("who knows the password gets in, nobody else does")
        func password() async throws {
            let dashboard = try await start()
            let nobody = try dashboard.get("/api/v1/state")
            #expect(nobody.status == 401)
            #expect(nobody.headers["www-authenticate"] == "Basic realm=\"heartbeat\", charset=\"UTF-8\"")
            for target in ["/", "/customer", "/static/chart.min.js", "/metrics", "/readyz", "/api/v1/events"] {
                #expect(try dashboard.get(target).status == 401)
            }
            #expect(try dashboard.get("/healthz").status == 200)
            #expect(try dashboard.get("/api/v1/state", header("correct horse")).status == 200)
            #expect(try dashboard.get("/api/v1/state", header("correct horse", user: "")).status == 200)
            for wrong in ["", "correct", "correct horse ", "Correct horse", "correct horse\0", Self.hash] {
                #expect(try dashboard.get("/api/v1/state", header(wrong)).status == 401)
            }
            for malformed in ["Basic", "Basic !", "Bearer x", "Basic Y29ycmVjdA=="] {
                #expect(try dashboard.get("/api/v1/state", ["Authorization: \(malformed)"]).status == 401)
            }
            let stream = try EventStream(port: dashboard.port, header("correct horse"))
            _ = try stream.state()
        }

        @Test("ten thousand guesses are refused, logged once, and hold up nobody who is in")
        func guessing() async throws {
            let dashboard = try await start()
            #expect(try dashboard.get("/api/v1/state", header("correct horse")).status == 200)
            let connection = try HTTPConnection(port: dashboard.port)
            var statuses: [Int: Int] = [:]
            for guess in 0..<10_000 {
                connection.request("/api/v1/state", header("guess \(guess)"))
                statuses[try connection.answer().status, default: 0] += 1
            }
            #expect(Set(statuses.keys) == [401, 429])
            #expect((statuses[429] ?? 0) > 9000, "\(statuses)")
            #expect(try dashboard.get("/api/v1/state", header("correct horse")).status == 200)
            let lines = dashboard.process.log.split(separator: "\n").filter { $0.contains("wrong password") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("127.0.0.1") == true)
            #expect(!dashboard.process.log.contains("guess"))
        }

        @Test("with a password it listens where others can come")
        func open() async throws {
            let dashboard = try await start(["DASHBOARD_ADDRESS": "0.0.0.0"])
            #expect(try dashboard.get("/api/v1/state", header("correct horse")).status == 200)
            #expect(try dashboard.get("/api/v1/state").status == 401)
        }

        @Test(
            "a file that has no hash is refused at the start",
            arguments: ["", "secret", "$6$", "ab01FAX.bQRSU", "$1$abc$xyz", "$nonsense$abc$def"])
        func noHash(_ text: String) async throws {
            let file = try TestFolder.required().write("password", text)
            let ended = try await Heartbeat.run(["dashboard"], ["DASHBOARD_PASSWORD_FILE": file])
            #expect(ended.end == .exited(78))
            #expect(ended.log.contains("expected one line with a hash"))
            #expect(text.isEmpty || !ended.log.contains("\"\(text)\""))
        }

        @Test("a file that is not there is refused at the start")
        func noFile() async throws {
            let ended = try await Heartbeat.run(["dashboard"], ["DASHBOARD_PASSWORD_FILE": "/nowhere"])
            #expect(ended.end == .exited(78))
            #expect(ended.log.contains("unable to read the file"))
        }
    }
}
