import Foundation
import Harness
import PostgreSQL
import Synchronization
import Testing

extension OnANotifier {
    @Suite struct NotifierKillStormTests {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil

        /// Writes changes of episodes as several consumers do at the same time: each has customers of its own, and commits
        /// now sooner and now later.
        private final class Writer: Sendable {
            private let isEnding = Atomic(false)
            private let written = Mutex<[String: [String]]>([:])
            private let (cluster, database): (PrivatePostgreSQL, String)

            init(_ database: TestDatabase) { (cluster, self.database) = (database.cluster, database.name) }

            private func connect() throws -> PostgreSQLConnection {
                try PostgreSQLConnection(cluster.parameters(database: database, user: "heartbeat-consumer"), .test)
            }

            func end() { isEnding.store(true, ordering: .relaxed) }
            var count: Int { written.withLock { $0.values.reduce(0) { $0 + $1.count } } }
            /// The changes of each customer, in the order in which they were committed, as `EpisodeReceiver.Received.change`.
            var changes: [String: [String]] { written.withLock { $0 } }

            func run(_ part: Int) async throws {
                let course = [("opened", "medium"), ("escalated", "high"), ("eased", "medium"), ("closed", "medium")]
                var number = 0.0
                while !isEnding.load(ordering: .relaxed) {
                    let customer = "cust_\(part)_\(Int.random(in: 0..<5))"
                    // Another episode each time, whose times are unlike all others.
                    number += 1
                    let start = Date.now.addingTimeInterval(number - 3600)
                    for (step, (change, severity)) in course.enumerated() {
                        let what = Change(
                            customer: customer, change: change, severity: severity, after: 8000 + 1000 * step + part)
                        try await write(what.sql(now: "timestamptz '\(start.ISO8601Format())'"))
                        let moment = start.addingTimeInterval(Double(step) - 22).ISO8601Format().dropLast()
                        let text = "\(customer) \(change) \(moment).00\(part)000+00:00"
                        written.withLock { $0[customer, default: []].append(text) }
                    }
                }
            }

            /// Until it is committed: while the server is stopped nobody knows whether it was, and the second time changes
            /// nothing.
            private func write(_ sql: String) async throws {
                while true {
                    do {
                        let session = try connect()
                        try session.rows("BEGIN; " + sql)
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0...30)))
                        try session.rows("COMMIT")
                        return
                    } catch is PostgreSQLError {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
            }
        }

        @Test(
            "notifier, receiver and database are killed: each change arrives at least once, repeats have its id, and a customer's order is kept"
        )
        func storm() async throws {
            let rounds = Self.isLong ? 50 : 5
            var receiver = try await EpisodeReceiver("receiver 0")
            var receivers = [receiver]
            let other = try await EpisodeReceiver("other")
            var notifier = try await RunningNotifier(
                "receiver a webhook \(receiver.url)\nreceiver b webhook \(other.url)\nroute a\nroute b\n")
            let (database, writer) = (notifier.database, Writer(notifier.database))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<4 { group.addTask { try await writer.run(part) } }
                defer { writer.end() }
                for round in 1...rounds {
                    let before = writer.count
                    try await eventually("something is written in round \(round)") { writer.count > before + 10 }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...500)))
                    if round % 5 == 2 {
                        receiver.process.kill(SIGKILL)
                        try await receiver.process.waitForEnd(within: .seconds(10))
                        receiver = try await EpisodeReceiver("receiver \(round)", port: receiver.port)
                        receivers.append(receiver)
                    }
                    if round % 5 == 4 {
                        try await database.cluster.stop(.immediate)
                        try await database.cluster.start()
                    }
                    notifier.process.kill(SIGKILL)
                    try await notifier.process.waitForEnd(within: .seconds(10))
                    notifier = try notifier.again("notifier \(round)")
                }
                writer.end()
                try await group.waitForAll()
            }
            try await eventually("everything is sent") {
                try database.number(
                    "SELECT (SELECT count(*) FROM episode_events WHERE routed_at IS NULL) "
                        + "+ (SELECT count(*) FROM notifications WHERE state <> 'sent')") == 0
            }
            for taken in [try receivers.flatMap { try $0.received }, try other.received] {
                Self.expect(taken, writer.changes)
            }
        }

        private static func expect(_ received: [EpisodeReceiver.Received], _ written: [String: [String]]) {
            let count = written.values.reduce(0) { $0 + $1.count }
            let ids = Set(received.map(\.id))
            print("\(count) changes, \(received.count) messages with \(ids.count) ids")
            #expect(ids.count == count, "an id for each change")
            #expect(Set(received.map { "\($0.id) \($0.change)" }).count == count, "and the same one in each repeat")
            for (customer, changes) in written {
                let told = received.filter { $0.customer == customer }.map(\.change)
                #expect(told.uniqued() == changes, "\(customer)")
            }
        }
    }
}
