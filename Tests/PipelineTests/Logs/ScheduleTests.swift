import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Stops, kills, silence, lost ends, recreated topics, transactions, rebalances, restarts of the database, and sealing, in
    /// any order.
    @Suite("Random schedules") struct Schedules {
        private static let environment = ProcessInfo.processInfo.environment
        private static let isLong = environment["HEARTBEAT_TEST_LONG"] == "1"

        /// A seed that was given, three fixed ones, or, among what takes long, a hundred.
        private static let seeds: [UInt64] = {
            if let given = environment["HEARTBEAT_TEST_SEED"].flatMap({ UInt64($0) }) { return [given] }
            // Without the look at the last message's fingerprint 4 fails.
            return isLong ? Array(1...100) : [1, 2, 4]
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

        @Test(
            "a batch that was overtaken is refused; without the fence it is stored twice, and that is noticed",
            .enabled(if: isLong, "takes long: HEARTBEAT_TEST_LONG=1"))
        func overtaken() async throws {
            let schedule = Schedule(
                partitions: 2, consumers: 2,
                // Several times: on a slow machine the batch may wait for longer than the lock's limit of 10 s.
                steps: [.publish(60, partition: 0), .publish(60, partition: 1), .start(1), .start(2), .settle]
                    + Array(repeating: [.overtake(messages: 30), .settle], count: 4).joined())
            let folder = try TestFolder()
            let complaints = try await complaints(about: schedule, in: folder)
            #expect(complaints.isEmpty, "\(folder.logs())")
            let found = try await self.complaints(about: schedule, in: folder) { database in
                try database.rows(
                    """
                    DO $$ DECLARE
                        fenced text := pg_get_functiondef('advance_offsets'::regproc);
                        free text := replace(fenced, ' AND o.next_offset = a.expected_offset AND NOT o.closed', '');
                    BEGIN
                        ASSERT fenced <> free;
                        EXECUTE free;
                    END $$
                    """)
            }
            #expect(found.contains { $0.contains("are stored twice") }, "\(found), \(folder.logs())")
            #expect(found.contains { $0.contains("verify ended as") }, "\(found)")
        }

        /// Carries one schedule out, with a folder and logs of its own.
        private func follow(_ schedule: Schedule) async {
            let start = ContinuousClock.now
            do {
                let folder = try TestFolder()
                let complaints = try await complaints(about: schedule, in: folder)
                print("schedule \(schedule.seed): \(ContinuousClock.now - start)")
                if complaints.isEmpty { return }
                Issue.record("\(complaints.joined(separator: "; "))\n\(schedule)\n\(folder.logs())")
            } catch {
                Issue.record("\(error)")
            }
        }

        /// What is wrong after a schedule.
        ///
        /// - Parameter sabotage: what is done to the database before it begins.
        private func complaints(
            about schedule: Schedule, in folder: TestFolder,
            sabotage: @Sendable (TestDatabase) throws -> Void = { _ in }
        ) async throws -> [String] {
            // A server of its own, which can be restarted beside the other schedules.
            let cluster = try await PrivatePostgreSQL()
            let complaints = await TestFolder.$current.withValue(folder) {
                await PrivatePostgreSQL.$current.withValue(cluster) {
                    do {
                        var run = try await ScheduleRun(schedule, sabotage: sabotage)
                        return try await run.run()
                    } catch {
                        return ["\(error)"]
                    }
                }
            }
            try await cluster.stop(.fast)
            return complaints
        }

        @Test("a schedule follows from its seed")
        func seeds() {
            #expect("\(Schedule(seed: 7))" == "\(Schedule(seed: 7))")
            #expect("\(Schedule(seed: 7))" != "\(Schedule(seed: 8))")
        }
    }
}
