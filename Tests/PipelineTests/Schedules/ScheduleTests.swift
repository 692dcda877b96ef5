import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Stops, kills, silence, lost ends, recreated topics, transactions, rebalances, restarts of the database, sealing, clocks
    /// that jump and full disks, in any order.
    @Suite("Random schedules") struct Schedules {
        private static let environment = ProcessInfo.processInfo.environment
        private static let isLong = environment["HEARTBEAT_TEST_LONG"] == "1"
        private static let givenSeed = environment["HEARTBEAT_TEST_SEED"].flatMap { UInt64($0) }

        /// A seed that was given, three fixed ones, or, among what takes long, a hundred.
        private static let seeds: [UInt64] = {
            if let givenSeed { return [givenSeed] }
            // Without the look at the last message's fingerprint 4 fails.
            return isLong ? Array(1...100) : [1, 2, 4]
        }()

        /// Where a log parts from what is stored is found by the stored readings, whatever the clock says of them.
        private static let slowClock = Schedule(
            partitions: 2, consumers: 1,
            steps: [
                .publish(60, partition: 0), .publish(60, partition: 1), .start(1), .settle, .stop(1),
                .clock(1, secondsAhead: -20 * 366 * 86_400), .truncate(partition: 0, percent: 60, growth: 5), .start(1),
            ])

        /// librdkafka 2.0.2 never ends after its topic was deleted: a consumer does, also when its clock was set.
        private static let fastClock = Schedule(
            partitions: 1, consumers: 1,
            steps: [
                .publish(20, partition: 0), .start(1), .settle, .clock(1, secondsAhead: 3600), .recreate(messages: 0),
                .pause(milliseconds: 1000), .stop(1),
            ])

        @Test("nothing is lost or stored twice that Kafka still has, and what it lost is said")
        func schedules() async throws {
            let chosen = Self.givenSeed == nil ? [Self.slowClock, Self.fastClock] : []
            // Side by side, since each waits for its consumer group most of the time.
            await withTaskGroup(of: Void.self) { group in
                for (place, schedule) in (Self.seeds.map { Schedule(seed: $0) } + chosen).enumerated() {
                    if place >= 4 { await group.next() }
                    group.addTask { await follow(schedule) }
                }
            }
        }

        @Test(
            "hundreds of faults in one run: 0 lost, 0 doubled",
            .enabled(if: isLong, "takes long: HEARTBEAT_TEST_LONG=1"))
        func endurance() async throws {
            let amounts = FaultAmounts(
                kills: 200, restarts: 20, rebalances: 20, brokerFaults: 20, clocks: 10, fullDisks: 3, maintenances: 10)
            await withTaskGroup(of: Void.self) { group in
                for seed in Self.givenSeed.map({ [$0] }) ?? [1, 2] {
                    group.addTask { await follow(Schedule(seed: seed, amounts)) }
                }
            }
        }

        /// Carries one schedule out, with a folder and logs of its own.
        private func follow(_ schedule: Schedule) async {
            let start = ContinuousClock.now
            do {
                let folder = try TestFolder()
                let complaints = try await ScheduleRun.complaints(about: schedule, in: folder)
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
