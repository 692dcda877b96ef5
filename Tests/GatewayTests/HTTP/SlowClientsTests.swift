import Daemon
import Foundation
import Harness
import Testing

extension OnAGateway {
    /// Connections that send next to nothing: they take neither memory nor a place from others for long.
    @Suite struct SlowClientsTests {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil
        /// What the unit may use: MemoryMax= in systemd/heartbeat-.service.d.
        private static let mostKilobytes = 512 << 10

        /// How slow clients begin; a single byte follows each time.
        private enum Kind: CaseIterable {
            /// Nothing at all.
            case silent
            case header
            /// Nobody knows how long the body is going to be.
            case chunks
            case announced
            /// An address that has no use for a body.
            case answered
            case wrongToken

            func beginning(_ gateway: RunningGateway) -> String {
                let post = "POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                let token = "Authorization: Bearer \(gateway.token)\r\n"
                return switch self {
                case .silent: ""
                case .header: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
                case .chunks: post + token + "Transfer-Encoding: chunked\r\n\r\n"
                case .announced: post + token + "Content-Length: 1048576\r\n\r\n"
                case .answered: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n"
                case .wrongToken: post + "Authorization: Bearer gym.0\r\nContent-Length: 1048576\r\n\r\n"
                }
            }

            var next: String {
                switch self {
                case .silent: ""
                case .chunks: "1\r\n \r\n"
                default: " "
                }
            }
        }

        private static func openFiles(_ process: ChildProcess) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count
        }

        private static func connect(
            _ count: Int, to gateway: RunningGateway
        ) throws -> [(kind: Kind, connection: HTTPConnection)] {
            try (0..<count).map { number in
                let kind = Kind.allCases[number % Kind.allCases.count]
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(kind.beginning(gateway))
                return (kind, connection)
            }
        }

        @Test("what slow clients only announce takes no memory, and who has the answer already is let go")
        func others() async throws {
            #expect(raiseOpenFilesLimit(to: 1000) >= 1000)
            let gateway = try await RunningGateway()
            let before = try Self.openFiles(gateway.process)
            let clients = try Self.connect(600, to: gateway)
            for (kind, connection) in clients { connection.send(kind.next) }
            #expect(try gateway.send(reading()).status == 200)
            for (kind, connection) in clients where [.answered, .wrongToken].contains(kind) {
                let answer = try connection.answer()
                #expect(answer.status == (kind == .answered ? 200 : 401))
                #expect(answer.headers["connection"] == "close")
            }
            // A third of them, although they never end what they have begun.
            try await eventually("their connections are closed") {
                for (kind, connection) in clients { connection.send(kind.next) }
                return try Self.openFiles(gateway.process) <= before + 400
            }
        }

        @Test(
            "5,000 slow clients hold nobody up, and all of them are let go",
            .enabled(if: isLong, "it takes a minute"), arguments: [6000, 1000])
        func crowd(connections: Int) async throws {
            #expect(raiseOpenFilesLimit(to: 6000) >= 6000)
            let gateway = try await RunningGateway(["GATEWAY_CONNECTIONS": "\(connections)"])
            let before = try Self.openFiles(gateway.process)
            let clients = try Self.connect(5000, to: gateway)
            var (most, sent, longest) = (0, 0, Duration.zero)
            try await eventually("all of them are let go", within: .seconds(300)) {
                for (kind, connection) in clients { connection.send(kind.next) }
                for _ in 1...20 {
                    sent += 1
                    let start = ContinuousClock.now
                    let time = "2026-02-19T15:53:03.\(String(format: "%06d", sent))Z"
                    #expect(try gateway.send(reading(at: time)).status == 200)
                    longest = max(longest, start.duration(to: .now))
                }
                let now = try Self.openFiles(gateway.process)
                most = max(most, now)
                return now <= before + 1
            }
            #expect(most <= min(connections, 5000) + before + 20)
            #expect(gateway.process.peakKilobytes < Self.mostKilobytes)
            print(
                """
                \(connections) connections at most: \(sent) readings taken beside 5,000 slow clients, the slowest in \
                \(longest); at most \(most) open files, \(gateway.process.peakKilobytes) kB
                """)
            try await gateway.pipeline.drain()
            #expect(try gateway.pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == sent)
        }
    }
}
