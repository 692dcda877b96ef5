import Foundation
import Harness
import Testing

extension OnAServer {
    @Suite("Files of the page", .ownFolder) struct AssetTests {
        @Test("what a page names is kept by browsers for good, at addresses that differ with the contents")
        func addresses() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let page = try dashboard.get("/")
            #expect(page.headers["cache-control"] == "no-cache")
            let named = page.text.matches(of: /(?:src|href)="(static\/[^"]+)"/).map { String($0.1) }
            #expect(named.count > 20)
            for address in named {
                let file = try dashboard.get("/" + address)
                #expect(file.status == 200, "\(address)")
                #expect(file.headers["cache-control"] == "max-age=31536000, immutable", "\(address)")
                // Without the version it is the same file, which may change.
                let parts = address.split(separator: "/")
                let plain = try dashboard.get("/static/" + parts.dropFirst(2).joined(separator: "/"))
                #expect(plain.text == file.text && plain.headers["cache-control"] == "no-cache")
                let other = try dashboard.get("/static/other/" + parts.dropFirst(2).joined(separator: "/"))
                #expect(other.status == 404)
            }
        }

        @Test("HEAD says what GET says, but for a length that nobody knows")
        func head() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 10)
            let dashboard = try await RunningDashboard(database: database)
            for target in ["/", "/wall", "/static/lib/dom.js", "/api/v1/openapi.json", "/healthz", "/nothing"] {
                let (get, head) = (try dashboard.get(target), try dashboard.get(target, method: "HEAD"))
                func said(_ answer: HTTPConnection.Answer) -> [String: String] {
                    answer.headers.filter { $0.key != "date" }
                }
                #expect(head.status == get.status && said(head) == said(get), "\(target)")
            }
            for target in ["/api/v1/events", "/api/v1/readings.csv?customer_id=cust_0001"] {
                let head = try dashboard.get(target, method: "HEAD")
                #expect(head.status == 200 && head.headers["content-length"] == nil, "\(target): \(head.headers)")
            }
        }

        @Test("who follows a dead link gets a page, whose style is there; a program gets a problem")
        func nothing() async throws {
            let dashboard = try await RunningDashboard(isAnswered: false)
            let page = try dashboard.get("/nothing/here", ["Accept: text/html"])
            #expect(page.status == 404 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.text.contains("href=\"../static/style/base.css\""))
            #expect(try dashboard.get("/static/style/base.css").status == 200)
            #expect(try dashboard.get("/nothing").headers["content-type"] == "application/problem+json")
        }
    }
}
