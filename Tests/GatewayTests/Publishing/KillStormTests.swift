import Foundation
import Harness
import Synchronization
import Testing

extension OnAGateway {
    @Suite struct KillStormTests {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil

        /// A sender that repeats each request until it has the status 200, on connections that may break at any time.
        private final class Sender: Sendable {
            private let progress = Mutex((acknowledged: 0, attempts: 0, isEnding: false))
            private let port: Int
            private let headers: [String]
            /// How many readings a request has.
            let readings: Int

            init(_ gateway: RunningGateway, readings: Int) {
                port = gateway.port
                headers = ["Content-Type: application/json", "Authorization: Bearer \(gateway.token)"]
                self.readings = readings
            }

            /// How many requests have their status 200.
            var acknowledged: Int { progress.withLock { $0.acknowledged } }
            /// How many requests were sent.
            var attempts: Int { progress.withLock { $0.attempts } }

            /// Begins no further request.
            func end() { progress.withLock { $0.isEnding = true } }

            /// Sends every fourth request.
            func send(_ part: Int) async throws {
                var request = part
                while !progress.withLock({ $0.isEnding }) {
                    let body = body(request)
                    while (try? post(body)) != 200 { try await Task.sleep(for: .milliseconds(100)) }
                    progress.withLock { $0.acknowledged += 1 }
                    request += 4
                    try await Task.sleep(for: .milliseconds(50))
                }
            }

            private func body(_ request: Int) -> String {
                let items = (0..<readings).map { index in
                    let number = request * readings + index
                    let (second, part) = (number / 1000 % 60, number % 1000)
                    let time = String(format: "2026-02-19T15:%02d:%02d.%03dZ", number / 60_000, second, part)
                    return reading("gym_\(request % 200)", at: time, "\(60 + number % 100)")
                }
                return "[" + items.joined(separator: ",") + "]"
            }

            private func post(_ body: String) throws -> Int {
                progress.withLock { $0.attempts += 1 }
                let connection = try HTTPConnection(port: port)
                connection.post("/api/v1/readings", headers, body: Array(body.utf8))
                return try connection.answer().status
            }
        }

        @Test(
            "gateway, consumer and broker are killed and stopped: what a sender repeats until it has 200 is stored once"
        )
        func storm() async throws {
            let (rounds, requests) = Self.isLong ? (30, 5000) : (4, 50)
            let pipeline = try await Pipeline(partitions: 16)
            let settings = ["GATEWAY_ANSWER_SECONDS": "2", "GATEWAY_READINGS_PER_SECOND": "1000000"]
            let gateway = try await RunningGateway(settings, pipeline: pipeline)
            let consumer = try pipeline.startConsumer("consumer 0")
            let sender = Sender(gateway, readings: Self.isLong ? 20 : 5)
            var last = (gateway: gateway, consumer: consumer)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<4 { group.addTask { try await sender.send(part) } }
                defer { sender.end() }
                last = try await Self.cause(rounds, gateway, consumer: consumer, while: sender)
                try await eventually("enough is sent", within: .seconds(600)) { sender.acknowledged >= requests }
                sender.end()
                try await group.waitForAll()
            }
            let messages = try pipeline.broker.messageCount()
            try await pipeline.untilStored(messages)
            try await pipeline.stop(last.consumer)
            let total = sender.acknowledged * sender.readings
            let rows = try pipeline.database.rows(
                "SELECT count(*), count(DISTINCT (customer_id, recorded_at, heart_rate)) FROM heart_rate_readings")
            #expect(rows == [["\(total)", "\(total)"]], "\(messages) messages, \(sender.attempts) requests")
            let others = try pipeline.database.rows(
                "SELECT reason_code, count(*) FROM rejected_messages GROUP BY 1")
            print("\(total) readings in \(messages) messages, \(sender.attempts) requests; rejected: \(others)")
            #expect(others == (messages > total ? [["repeated", "\(messages - total)"]] : []))
            try await pipeline.expectSound(messages)
        }

        /// Kills and stops what takes part, while something is sent.
        ///
        /// - Returns: what runs at the end: a process ends with its owner.
        private static func cause(
            _ rounds: Int, _ gateway: RunningGateway, consumer: ChildProcess, while sender: Sender
        ) async throws -> (gateway: RunningGateway, consumer: ChildProcess) {
            var (gateway, consumer) = (gateway, consumer)
            let pipeline = gateway.pipeline
            for round in 1...rounds {
                let before = sender.attempts
                try await eventually("something is sent in round \(round)") { sender.attempts > before + 2 }
                switch round % 3 {
                case 0:
                    consumer.kill(SIGKILL)
                    _ = try await consumer.waitForEnd(within: .seconds(10))
                    consumer = try pipeline.startConsumer("consumer \(round)")
                case 1:
                    gateway.process.kill(SIGKILL)
                    _ = try await gateway.process.waitForEnd(within: .seconds(10))
                    gateway = try await gateway.again("gateway \(round)")
                default:
                    // Long enough for requests whose answer is 503, although Kafka has their readings later.
                    pipeline.broker.process?.kill(SIGSTOP)
                    try await Task.sleep(for: .seconds(3))
                    pipeline.broker.process?.kill(SIGCONT)
                }
            }
            return (gateway, consumer)
        }
    }
}
