import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Each safeguard is removed once: what it prevents has to be noticed.
    @Suite(
        "Removed safeguards",
        .enabled(
            if: ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == "1", "takes long: HEARTBEAT_TEST_LONG=1"))
    struct Safeguards {
        @Test("a batch that was overtaken is refused; without the fence it is stored twice, and that is noticed")
        func overtaken() async throws {
            let schedule = Schedule(
                partitions: 2, consumers: 2,
                // Several times: on a slow machine the batch may wait for longer than the lock's limit of 10 s.
                steps: [.publish(60, partition: 0), .publish(60, partition: 1), .start(1), .start(2), .settle]
                    + Array(repeating: [.overtake(messages: 30), .settle], count: 4).joined())
            #expect(try await complaints(about: schedule, nil).isEmpty)
            let found = try await complaints(about: schedule, .noFence)
            #expect(found.contains { $0.contains("are stored twice") })
            #expect(found.contains { $0.contains("verify ended as") })
        }

        @Test("a topic that was recreated is read from its beginning; without the look at fingerprints that is missed")
        func recreated() async throws {
            let schedule = Schedule(
                partitions: 2, consumers: 1,
                steps: [
                    .publish(60, partition: 0), .publish(60, partition: 1), .start(1), .settle, .stop(1),
                    .recreate(messages: 150), .start(1), .settle,
                ])
            #expect(try await complaints(about: schedule, nil).isEmpty)
            let found = try await complaints(about: schedule, .blindToFingerprints)
            // Of each partition those in the place of the stored ones.
            #expect(found.contains { $0.contains("missing: 120,") })
        }

        @Test("damaged blocks are not sealed; without the comparison they are, and that is noticed")
        func damaged() async throws {
            let schedule = Schedule(
                partitions: 2, consumers: 1,
                steps: [.publish(60, partition: 0), .publish(60, partition: 1), .start(1), .settle, .maintain])
            #expect(try await complaints(about: schedule, nil).isEmpty)
            let refused = try await complaints(about: schedule, .damagedBlocks)
            #expect(refused.contains { $0.contains("sealed readings are not those of the rows") })
            let found = try await complaints(about: schedule, .uncomparedBlocks)
            #expect(found.contains { $0.contains("have another heart rate") })
            #expect(found.contains { $0.contains("verify ended as exited(1)") })
        }

        private func complaints(about schedule: Schedule, _ sabotage: Sabotage?) async throws -> [String] {
            let found = try await ScheduleRun.complaints(about: schedule, in: TestFolder(), sabotage)
            print("\(sabotage.map { "\($0)" } ?? "all safeguards"): \(found)")
            return found
        }
    }
}
