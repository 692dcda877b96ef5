import Foundation
import Harness
import Synchronization
import Testing

extension OnAGateway {
    @Suite struct KillStormTests {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil

        /// A sender that repeats each request until it has the status 200, on connections that may break at any time.
        private final class Sender: Sendable {
            private let progress = Mutex((acknowledged: 0, attempts: 0))
            private let port: Int
            private let headers: [String]

            init(_ gateway: RunningGateway) {
                port = gateway.port
                headers = ["Content-Type: application/json", "Authorization: Bearer \(gateway.token)"]
            }

            /// How many requests have their status 200, and how many were sent.
            var counts: (acknowledged: Int, attempts: Int) { progress.withLock { $0 } }

            func send(_ requests: Range<Int>, readings: Int) async throws {
                for request in requests {
                    let body = (0..<readings).map { index in
                        let number = request * readings + index
                        let (second, part) = (number / 1000 % 60, number % 1000)
                        let time = String(format: "2026-02-19T15:%02d:%02d.%03dZ", number / 60_000, second, part)
                        return reading("gym_\(request % 200)", at: time, "\(60 + number % 100)")
                    }
                    while true {
                        let status = try? post("[" + body.joined(separator: ",") + "]")
                        progress.withLock { $0.attempts += 1 }
                        if status == 200 { break }
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    progress.withLock { $0.acknowledged += 1 }
                }
            }

            private func post(_ body: String) throws -> Int {
                let connection = try HTTPConnection(port: port)
                connection.post("/api/v1/readings", headers, Array(body.utf8))
                return try connection.answer().status
            }
        }

        @Test(
            "gateway, consumer and broker are killed and stopped: what a sender repeats until it has 200 is stored once"
        )
        func storm() async throws {
            let (requests, rounds) = Self.isLong ? (1000, 30) : (60, 4)
            let readings = Self.isLong ? 100 : 20
            let pipeline = try await Pipeline(partitions: 16)
            var gateway = try await RunningGateway(
                [
                    "GATEWAY_ANSWER_SECONDS": "2", "GATEWAY_READINGS_PER_SECOND": "1000000",
                ], pipeline: pipeline)
            var consumer = try pipeline.startConsumer("consumer 0")
            let sender = Sender(gateway)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<4 {
                    group.addTask {
                        let share = requests / 4
                        try await sender.send(part * share..<(part + 1) * share, readings: readings)
                    }
                }
                for round in 1...rounds where sender.counts.acknowledged < requests {
                    let before = sender.counts.attempts
                    try await eventually("something is sent in round \(round)") { sender.counts.attempts > before + 2 }
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
                try await group.waitForAll()
            }
            let messages = try pipeline.broker.messageCount()
            try await pipeline.untilStored(messages)
            try await pipeline.stop(consumer)
            let total = requests * readings
            #expect(messages >= total)
            let rows = try pipeline.database.rows(
                "SELECT count(*), count(DISTINCT (customer_id, recorded_at, heart_rate)) FROM heart_rate_readings")
            #expect(rows == [["\(total)", "\(total)"]], "\(messages) messages, \(sender.counts.attempts) requests")
            let others = try pipeline.database.rows(
                "SELECT reason_code FROM rejected_messages WHERE reason_code <> 'repeated'")
            #expect(others.isEmpty)
            try await pipeline.expectSound(messages)
        }
    }
}
