import Harness
import Testing

extension EndToEnd {
    @Suite struct Smoke {
        @Test func load() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            let consumer = try await pipeline.startReadyConsumer()
            let load = try Load(pipeline.broker, perSecond: 2000)
            try await eventually("load") { load.messages > 4000 }
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
            try await pipeline.stop(consumer)
        }
    }
}
