import Foundation
import Harness
import HeartRate
import Simulation
import Testing

extension EndToEnd {
    /// Episodes are the same whatever happens to the consumers that find them.
    @Suite("Episodes") struct Episodes {
        /// Everybody's usual rate is known within an hour, and a walk of which nobody is told is a deviation.
        private static let settings = ["BASELINE_HOURS": "2", "DEVIATION_MINUTES": "3", "BATCH_ROWS": "5000"]
        /// The embedded broker lets the first member of a group wait for 3 s, others for the session timeout less 1 s, and
        /// forgets a dead member after it. A cluster outside allows no less than 6 s by default.
        private static func impatience(_ broker: TestBroker) -> [String: String] {
            broker.isEmbedded ? ["RDKAFKA_SESSION_TIMEOUT_MS": "3500", "RDKAFKA_HEARTBEAT_INTERVAL_MS": "500"] : [:]
        }

        @Test("the same episodes straight, with 30 kills, and with two consumers of which one comes and goes")
        func faults() async throws {
            let run = try await SimulatedRun(begin: SimulatedRun.begin)
            let straight = try await Pipeline(on: run.broker)
            try await straight.drain(Self.settings, within: .seconds(1800))
            try await straight.expectSound(run.messages)
            try Self.expectMany(["bradycardia", "tachycardia", "deviation", "signal loss"], straight.database)
            let episodes = try straight.database.episodes(until: run.end)
            // Side by side, since each waits for its consumer group most of the time.
            try await withThrowingTaskGroup { group in
                for times in [15, 15] { group.addTask { try await Self.kill(run, times: times, episodes) } }
                group.addTask { try await Self.rebalance(run, episodes) }
                try await group.waitForAll()
            }
        }

        /// Consumers that are killed, one after the other, and one that does the rest.
        private static func kill(_ run: SimulatedRun, times: Int, _ episodes: [String]) async throws {
            let pipeline = try await Pipeline(on: run.broker)
            var random = SplitMix64.announced()
            for round in 1...times {
                // A group of its own each time: the dead member would have to be waited for.
                let settings = settings(of: "\(pipeline.database.name)-\(round)", run.broker)
                let consumed = try pipeline.consumedCount()
                let consumer = try pipeline.startConsumer(
                    "killed \(round)", settings.merging(["BATCH_ROWS": "1000"]) { $1 })
                try await eventually("consumer \(round) stores something") { try pipeline.consumedCount() > consumed }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...100, using: &random)))
                consumer.kill(SIGKILL)
                #expect(try await consumer.waitForEnd(within: .seconds(10)) == .killed(by: SIGKILL))
            }
            #expect(try pipeline.consumedCount() < run.messages, "there was something left after each kill")
            try await finish(
                pipeline, after: run, with: settings(of: pipeline.database.name, run.broker), expecting: episodes)
        }

        /// A consumer that runs all the time, and one that is started and stopped beside it.
        private static func rebalance(_ run: SimulatedRun, _ episodes: [String]) async throws {
            let pipeline = try await Pipeline(on: run.broker)
            let settings = settings(of: "rebalanced", run.broker).merging(["BATCH_ROWS": "1000"]) { $1 }
            // So slow that it is not done while others come and go.
            try pipeline.database.slowDown(seconds: 0.05)
            let steady = try await pipeline.startReadyConsumer("steady", settings)
            for round in 1...4 {
                let other = try pipeline.startConsumer("other \(round)", settings)
                try await eventually("the other consumer has stored something the \(round). time") {
                    try pipeline.database.number(
                        "SELECT count(*) FROM pipeline_log WHERE consumer = 'other \(round)' AND messages_read > 0") > 0
                }
                // It hands its partitions over, or is missed after a while.
                if round.isMultiple(of: 2) {
                    other.kill(SIGKILL)
                    try await other.waitForEnd(within: .seconds(30))
                } else {
                    try await pipeline.stop(other)
                }
            }
            #expect(try pipeline.consumedCount() < run.messages, "there was something left after each change")
            try pipeline.database.rows("DROP TRIGGER pause ON kafka_offsets")
            try await pipeline.untilStored(run.messages, within: .seconds(1800))
            try await pipeline.stop(steady)
            try await finish(pipeline, after: run, with: settings, expecting: episodes)
        }

        @Test("the same episodes whether readings are late or not, when LATENESS_SECONDS is long enough")
        func lateness() async throws {
            let begin = SimulatedRun.begin
            let inOrder = try await SimulatedRun(begin: begin, ["LATE_RATE": "0", "SEND_ACTIVITY": "true"])
            let reordered = try await SimulatedRun(
                begin: begin,
                ["LATE_RATE": "0.2", "LATE_SECONDS": "300", "SEND_ACTIVITY": "true"])
            #expect(inOrder.messages == reordered.messages)
            let found = try await withThrowingTaskGroup { group in
                for (name, run) in ["in order": inOrder, "reordered": reordered] {
                    group.addTask {
                        let pipeline = try await Pipeline(on: run.broker)
                        let more = ["LATENESS_SECONDS": "600"]
                        try await pipeline.drain(Self.settings.merging(more) { $1 }, within: .seconds(1800))
                        try await pipeline.expectSound(run.messages)
                        try Self.expectMany(["bradycardia", "tachycardia", "signal loss"], pipeline.database)
                        return (name, try pipeline.database.episodes(until: run.end))
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let expected = try #require(found["in order"])
            let differences = try #require(found["reordered"]).difference(from: expected)
            #expect(differences.isEmpty, "\(differences.count) differences: \(differences.prefix(6))")
        }

        /// Stores what is left, and expects that everything is there once, and these episodes.
        private static func finish(
            _ pipeline: Pipeline, after run: SimulatedRun, with settings: [String: String], expecting episodes: [String]
        ) async throws {
            try await pipeline.drain(settings.merging(["BATCH_ROWS": "5000"]) { $1 }, within: .seconds(1800))
            try await pipeline.expectSound(run.messages)
            let differences = try pipeline.database.episodes(until: run.end).difference(from: episodes)
            #expect(differences.isEmpty, "\(differences.count) differences: \(differences.prefix(6))")
        }

        /// The settings of consumers with a group of their own.
        private static func settings(of group: String, _ broker: TestBroker) -> [String: String] {
            settings.merging(impatience(broker)) { $1 }.merging(["KAFKA_GROUP_ID": "\(broker.group)-\(group)"]) { $1 }
        }

        private static func expectMany(_ kinds: [String], _ database: TestDatabase) throws {
            for kind in kinds {
                let count = try database.number("SELECT count(*) FROM episodes WHERE kind = '\(kind)'")
                print("\(kind): \(count) episodes")
                #expect(count > 20, "episodes of \(kind)")
            }
        }

        @Test("limits that people set count within seconds, without a reload")
        func limits() async throws {
            let pipeline = try await Pipeline()
            let start = SimulatedRun.begin
            var second: Int64 = 0
            func publish() throws {
                try pipeline.broker.publish(
                    (second..<second + 60).map {
                        Message(
                            customer: "somebody", timestamp: start.advanced(byMicroseconds: $0 * 1_000_000).iso8601,
                            heartRate: 100)
                    })
                second += 60
            }
            let consumer = try await pipeline.startReadyConsumer("consumer", [:])
            try publish()
            try await pipeline.untilStored(60)
            let open = "SELECT count(*) FROM episodes WHERE kind = 'tachycardia' AND reason LIKE '%limit 95'"
            #expect(try pipeline.database.number(open) == 0)
            try pipeline.database.rows("SELECT set_customer_limits('somebody', 'Anna', NULL, 95::smallint)")
            try await eventually("an episode beyond the new limit") {
                try publish()
                return try pipeline.database.number(open) == 1
            }
            try await pipeline.stop(consumer)
        }

        @Test("a state that cannot be read is learned again, and nothing stops")
        func unreadableState() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            let start = SimulatedRun.begin
            func publish(_ seconds: Range<Int64>, bpm: Int) throws {
                for customer in ["garbage", "empty", "later version", "damaged", "well"] {
                    try pipeline.broker.publish(
                        seconds.map {
                            Message(
                                customer: customer, timestamp: start.advanced(byMicroseconds: $0 * 1_000_000).iso8601,
                                heartRate: bpm)
                        })
                }
            }
            try publish(0..<60, bpm: 70)
            try publish(60..<90, bpm: 200)
            try await pipeline.drain()
            let open = "SELECT count(*) FROM episodes WHERE kind = 'tachycardia' AND closed_at IS NULL"
            #expect(try pipeline.database.number(open) == 5)
            try pipeline.database.rows(
                """
                UPDATE customer_state SET detector = CASE customer_id
                    WHEN 'garbage' THEN decode('deadbeef00112233445566778899', 'hex') WHEN 'empty' THEN ''
                    WHEN 'later version' THEN set_byte(detector, 0, 99)
                    WHEN 'damaged' THEN set_byte(detector, 9, get_byte(detector, 9) # 1) ELSE detector END
                """)
            try publish(90..<120, bpm: 200)
            try await pipeline.drain()
            #expect(try pipeline.database.number(open) == 5, "one of each")
            try publish(120..<900, bpm: 70)
            try await pipeline.drain()
            try await pipeline.expectSound(5 * 900)
            #expect(try pipeline.database.number(open) == 0, "what was forgotten is over")
            // Who is known goes on with the episode; the others have a new one, from their first reading on.
            let found = try pipeline.database.rows(
                """
                SELECT customer_id, extract(epoch FROM opened_at)::bigint - \(start.microsecondsSince1970 / 1_000_000),
                       readings, closed_at IS NOT NULL
                  FROM episodes WHERE kind = 'tachycardia' AND opened_at >= '\(start)' ORDER BY 1, 2
                """
            ).map { $0.map { $0 ?? "" }.joined(separator: " ") }
            for customer in ["garbage", "empty", "later version", "damaged"] {
                #expect(found.contains { $0.hasPrefix("\(customer) 90 ") && $0.hasSuffix(" t") }, "\(customer)")
            }
            #expect(!found.contains { $0.hasPrefix("well 90 ") })
            #expect(found.contains { $0.hasPrefix("well 6") && $0.hasSuffix(" t") })
        }

        @Test("readings that jump away are marked, those that are late are not judged, and all are stored")
        func marks() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let rates = [70, 71, 70, 120, 70, 71, 72]
            var messages = rates.enumerated().map { second, bpm in
                Message(customer: "a", timestamp: "2026-02-19T15:00:0\(second)Z", heartRate: bpm)
            }
            messages.append(Message(customer: "a", timestamp: "2026-02-19T15:00:01.5Z", heartRate: 130))
            try pipeline.broker.publish(messages)
            try await pipeline.drain()
            let marked = try pipeline.database.rows(
                "SELECT heart_rate, extract(second FROM recorded_at)::int FROM heart_rate_readings WHERE is_suspect ORDER BY 2"
            )
            // What comes back is where it was before.
            #expect(marked == [["120", "3"]])
            try await pipeline.expectSound(8)
        }

        @Test("an activity that is told is stored with its reading, and what is none is stored as none")
        func activities() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let told = [
                #""sleep""#, #""rest""#, #""walk""#, #""exercise""#, #""swim""#, #""Walk""#, "2", "null", #"["walk"]"#,
            ]
            // A rate that is an anomaly, one that jumps, and others.
            let rates = [190, 70, 71, 150, 71, 70, 70, 70, 70]
            let messages = zip(told, rates).enumerated().map { second, reading in
                Message(
                    key: Array("a".utf8),
                    value: Array(
                        """
                        {"customer_id": "a", "timestamp": "2026-02-19T15:00:0\(second)Z", "heart_rate": \(reading.1), \
                        "activity": \(reading.0)}
                        """.utf8))
            }
            try pipeline.broker.publish(
                messages + [Message(customer: "a", timestamp: "2026-02-19T15:00:09Z", heartRate: 70)])
            try await pipeline.drain()
            let stored = try pipeline.database.rows(
                "SELECT heart_rate, activity, is_anomaly FROM heart_rate_readings ORDER BY recorded_at")
            let activities: [String?] = ["0", "1", "2", "3", nil, nil, nil, nil, nil, nil]
            #expect(
                stored == zip(rates + [70], activities).map { ["\($0)", $1, $0 == 190 ? "t" : "f"] })
            try await pipeline.expectSound(10)
        }
    }
}
