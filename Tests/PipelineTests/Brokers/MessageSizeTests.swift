import Harness
import Testing

extension EndToEnd {
    /// The topic takes small batches only.
    @Suite("Sizes of messages") struct MessageSizes {
        private static func replay(_ count: Int, customers: [String]) throws -> [String] {
            let rows = (0..<count).map { number in
                "\(customers[number % customers.count]),2020-01-01T00:00:00.\(100_000 + number)Z,\(60 + number % 60)\n"
            }
            let file = try TestFolder.required().write(
                "readings.csv", "customer_id,recorded_at,heart_rate\n" + rows.joined())
            return ["--replay", file, "--flat-out"]
        }

        @Test("batches are larger than the topic takes: each message is delivered once")
        func smallBatches() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.set("max.message.bytes", to: "2000")
            let producer = try WatchedDaemon.producer(
                pipeline.broker, arguments: Self.replay(20_000, customers: (0..<7).map { "cust-\($0)" }))
            #expect(try await producer.process.waitForEnd(within: .seconds(300)) == .exited(0))
            #expect(producer.log.contains("finished: 20000 delivered, 0 not delivered"))
            let dump = try await faulty.dump()
            #expect(dump.messageCount == 20_000)
            #expect(Set(dump.partitions.flatMap(\.messages).map(\.value)).count == 20_000, "each of them once")
            try await pipeline.drain()
            try await pipeline.expectSound(20_000)
        }

        @Test("messages that are larger than the topic takes are named, counted and left out")
        func tooLarge() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let long = ["a", "b"].map { $0 + String(repeating: "0123456789", count: 4) }
            try await faulty.set("max.message.bytes", to: "230")
            let producer = try WatchedDaemon.producer(
                pipeline.broker, arguments: Self.replay(2000, customers: (0..<98).map { "cust-\($0)" } + long))
            #expect(try await producer.process.waitForEnd(within: .seconds(300)) == .exited(69))
            #expect(producer.log.contains("finished: 1960 delivered, 40 not delivered"))
            for customer in long {
                #expect(
                    producer.log.contains(
                        try Regex(
                            #"a message of customer "\#(customer)" with \d+ bytes is larger than the topic takes"#)))
            }
            #expect(try await faulty.dump().messageCount == 1960)
            try await pipeline.drain()
            try await pipeline.expectSound(1960)
        }

        @Test("no message fits: the status counts them, and a stop says how many")
        func noneFits() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            try await faulty.set("max.message.bytes", to: "100")
            let broker = TestBroker(faulty)
            let producer = try WatchedDaemon.producer(broker)
            try await producer.untilStatus("the status counts them") {
                $0.contains(/\b[1-9]\d* given up: too large for the topic/)
            }
            #expect(
                producer.log.contains(/a message of customer "[^"]+" with \d+ bytes is larger than the topic takes/))
            #expect(try await producer.stop() == .exited(69))
            #expect(producer.log.contains(/stopped: 0 delivered, [1-9]\d* not delivered/))
            #expect(try await faulty.dump().messageCount == 0)
        }
    }
}
