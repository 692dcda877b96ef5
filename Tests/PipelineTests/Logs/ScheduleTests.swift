import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Stops, kills, silence, lost ends, recreated topics, transactions, rebalances, restarts of the database, and sealing, in
    /// any order.
    @Suite("Random schedules") struct Schedules {
        /// A seed that was given, three fixed ones, or, among what takes long, a hundred.
        private static let seeds: [UInt64] = {
            let environment = ProcessInfo.processInfo.environment
            if let given = environment["HEARTBEAT_TEST_SEED"].flatMap({ UInt64($0) }) { return [given] }
            // Without the look at the last message's fingerprint 4 fails.
            return environment["HEARTBEAT_TEST_LONG"] == "1" ? Array(1...100) : [1, 2, 4]
        }()

        @Test("nothing is lost or stored twice that Kafka still has, and what it lost is said")
        func schedules() async throws {
            // Side by side, since each waits for its consumer group most of the time.
            await withTaskGroup(of: Void.self) { group in
                for (place, seed) in Self.seeds.enumerated() {
                    if place >= 3 { await group.next() }
                    group.addTask { await follow(Schedule(seed: seed)) }
                }
            }
        }

        /// Carries one schedule out, with a folder and logs of its own.
        private func follow(_ schedule: Schedule) async {
            let start = ContinuousClock.now
            do {
                let folder = try TestFolder()
                // A server of its own, which can be restarted beside the other schedules.
                let cluster = try await PrivatePostgreSQL()
                let complaints = await TestFolder.$current.withValue(folder) {
                    await PrivatePostgreSQL.$current.withValue(cluster) {
                        do {
                            var run = try await ScheduleRun(schedule)
                            return try await run.run()
                        } catch {
                            return ["\(error)"]
                        }
                    }
                }
                try await cluster.stop(.fast)
                print("schedule \(schedule.seed): \(ContinuousClock.now - start)")
                if complaints.isEmpty { return }
                Issue.record("\(complaints.joined(separator: "; "))\n\(schedule)\n\(folder.logs())")
            } catch {
                Issue.record("\(error)")
            }
        }

        @Test("a schedule follows from its seed")
        func seeds() {
            #expect("\(Schedule(seed: 7))" == "\(Schedule(seed: 7))")
            #expect("\(Schedule(seed: 7))" != "\(Schedule(seed: 8))")
        }
    }
}
