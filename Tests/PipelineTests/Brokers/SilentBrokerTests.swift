import Foundation
import Harness
import Testing

extension Waiting {
    /// One broker of three does not answer, or not to everything.
    @Suite("A broker of several does not answer") struct SilentBrokers {
        /// What happens to a broker.
        enum Fault: String, CaseIterable {
            /// It accepts connections and never answers.
            case silent
            /// It refuses connections.
            case down
            /// It answers everything but fetches.
            case mute

            func begin(_ broker: Int, of faulty: FaultyBroker) async throws {
                switch self {
                case .silent: try await faulty.setBroker(broker, .silent)
                case .down: try await faulty.setBroker(broker, .down)
                case .mute: try await faulty.mute(broker, ["fetch"])
                }
            }

            func end(_ broker: Int, of faulty: FaultyBroker) async throws {
                if self == .mute { try await faulty.mute(broker, []) } else { try await faulty.setBroker(broker, .up) }
            }
        }

        /// Three brokers with two partitions each, and customers whose readings are stored.
        private static func scene() async throws -> (Pipeline, FaultyBroker, WatchedDaemon, WatchedDaemon) {
            let faulty = try await FaultyBroker(brokers: 3, partitions: 6)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "every partition is read")
            try await consumer.untilReady()
            try await eventually("everybody's usual period is known") {
                try pipeline.database.number("SELECT count(*) FROM customer_state WHERE readings > 20") == 60
            }
            return (pipeline, faulty, consumer, producer)
        }

        @Test(
            "a leader does not answer: the other partitions go on, and all is stored when it is back",
            arguments: Fault.allCases)
        func leader(fault: Fault) async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            let (led, others) = ([1, 4], [0, 2, 3, 5])
            try await fault.begin(2, of: faulty)
            try await pipeline.untilStoredFromNow(others, "\(fault): the others are stored")
            try await consumer.untilStatus("the status says which broker") {
                $0.contains(/broker 2 at 127\.0\.0\.1:\d+ does not answer: 2 partitions wait for it/)
                    && $0.contains("lag unknown")
            }
            if fault != .mute {
                try await producer.untilStatus("the producer's status says it, too") {
                    $0.contains(/queued \((broker 2 at 127\.0\.0\.1:\d+ does not answer|partitions .* no leader)\)/)
                }
            }
            let before = consumer.manager.statuses.count
            // Long enough for what expires: the group's session, and silence that counts as lost.
            try await Task.sleep(for: .seconds(20))
            try await pipeline.untilStoredFromNow(others, "\(fault): the others are still stored")
            #expect(consumer.manager.statuses.dropFirst(before).allSatisfy { $0.contains("lag unknown") })
            let back = try pipeline.now()
            try await fault.end(2, of: faulty)
            try await pipeline.untilStoredFromNow(led, "\(fault): its partitions are stored again")
            try await consumer.untilStatus("the lag is known again") {
                $0.contains(/; lag \d+ messages|, lag \d+ messages/)
            }
            let losses = try pipeline.database.rows(
                "SELECT customer_id, opened_at FROM episodes WHERE kind = 'signal loss' AND opened_at < '\(back)'")
            #expect(losses.isEmpty, "nobody was silent but the broker")
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
            consumer.expectAlive()
            producer.expectAlive()
        }

        @Test(
            "a leader does not answer: both end when they are asked to, and go on when they are started",
            arguments: Fault.allCases)
        func stopped(fault: Fault) async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            try await fault.begin(2, of: faulty)
            try await consumer.untilStatus("the status says that the lag is unknown") { $0.contains("lag unknown") }
            #expect(try await consumer.stop() == .exited(0))
            let end = try await producer.stop()
            #expect(end == .exited(fault == .mute ? 0 : 69))
            // Also a start does not need that broker.
            let second = try WatchedDaemon.consumer(pipeline)
            let secondProducer = try WatchedDaemon.producer(pipeline.broker, settings: ["SEED": "2"])
            try await pipeline.untilStoredFromNow([0, 2, 3, 5], "\(fault): the others are stored after a start")
            try await second.untilStatus("the status says which broker") {
                // A client that has never seen the leader does not know who it was.
                $0.contains(/broker 2 at 127\.0\.0\.1:\d+ does not answer: 2 partitions wait for it/)
                    || (fault == .down && $0.contains("lag unknown: partitions 1, 4 have no leader"))
            }
            #expect(!second.status.contains("lag 0"))
            try await fault.end(2, of: faulty)
            try await pipeline.untilStoredFromNow([1, 4], "\(fault): its partitions are stored")
            #expect(try await secondProducer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await second.stop() == .exited(0))
            second.expectAlive()
        }

        @Test("the group's coordinator does not answer and is replaced", arguments: [Fault.silent, .down])
        func coordinator(fault: Fault) async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            let state: FaultyBroker.BrokerState = fault == .silent ? .silent : .down
            try await faulty.setBroker(1, state, moving: true)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "\(fault): all partitions are stored")
            try await Task.sleep(for: .seconds(15))
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "\(fault): all partitions are still stored")
            try await consumer.untilStatus("the lag is known") { $0.contains(/lag \d+ messages/) }
            let back = try pipeline.now()
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
            let losses = try pipeline.database.rows(
                "SELECT customer_id, opened_at FROM episodes WHERE kind = 'signal loss' AND opened_at < '\(back)'")
            #expect(losses.isEmpty, "nobody was silent but the broker")
            consumer.expectAlive()
            producer.expectAlive()
        }

        @Test("the group's coordinator does not answer and nobody replaces it", arguments: [Fault.silent, .down])
        func coordinatorAlone(fault: Fault) async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            try await fault.begin(1, of: faulty)
            try await consumer.untilStatus("the status says that the lag is unknown") { $0.contains("lag unknown") }
            let before = consumer.manager.statuses.count
            try await Task.sleep(for: .seconds(20))
            print(consumer.status)
            #expect(consumer.manager.statuses.dropFirst(before).allSatisfy { $0.contains("lag unknown") })
            #expect(
                consumer.status.contains(
                    /(broker 1|the group's coordinator) at 127\.0\.0\.1:\d+ does not answer|the group has no coordinator/
                ))
            try await fault.end(1, of: faulty)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "\(fault): all partitions are stored again")
            try await fault.begin(1, of: faulty)
            try await consumer.untilStatus("the lag is unknown again") { $0.contains("lag unknown") }
            #expect(try await consumer.stop() == .exited(0))
            try await fault.end(1, of: faulty)
            #expect(try await producer.stop() == .exited(0))
            let second = try WatchedDaemon.consumer(pipeline)
            try await pipeline.expectAllStored()
            #expect(try await second.stop() == .exited(0))
            consumer.expectAlive()
        }
    }
}
