import Daemon
import Foundation
import Harness
import HeartRate
import Testing

extension Waiting {
    /// Sensors as they are found, beside a consumer that runs.
    @Suite("Sensors with other clocks") struct LiveClocks {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == "1"
        /// In which second all hearts change.
        private static let change = 20

        /// A sensor: by how many seconds its clock is ahead, and how fast the heart is; nil when nothing comes.
        private struct Sensor {
            let name: String
            let ahead: @Sendable (Int) -> Double
            let rate: @Sendable (Int) -> Int?
        }

        /// With the kind of episode that each should have.
        private static let sensors: [(Sensor, String)] = [
            (Sensor(name: "right", ahead: { _ in 0 }) { after($0, 30) }, "bradycardia"),
            (Sensor(name: "5 min behind", ahead: { _ in -300 }) { after($0, 30) }, "bradycardia"),
            (Sensor(name: "15 min behind", ahead: { _ in -900 }) { after($0, 30) }, "bradycardia"),
            (Sensor(name: "2 h behind", ahead: { _ in -7200 }) { after($0, 30) }, "bradycardia"),
            (Sensor(name: "299 s ahead", ahead: { _ in 299 }) { after($0, 200) }, "tachycardia"),
            (Sensor(name: "one stamp 60 s ahead", ahead: { $0 == change ? 60 : 0 }) { after($0, 200) }, "tachycardia"),
            (
                Sensor(name: "one stamp 4 min ahead", ahead: { $0 == change ? 240 : 0 }) { after($0, 200) },
                "tachycardia"
            ),
            (Sensor(name: "set back by 60 s", ahead: { $0 < change ? 0 : -60 }) { after($0, 30) }, "bradycardia"),
            (Sensor(name: "in no order", ahead: { Double($0 * 7 % 4) * -0.7 }) { after($0, 200) }, "tachycardia"),
            (Sensor(name: "zeros", ahead: { _ in 0 }) { after($0, 0) }, "0 bpm reported"),
            (Sensor(name: "silent", ahead: { _ in 0 }) { $0 < change ? 70 + $0 % 3 : nil }, "signal loss"),
        ]

        private static func after(_ second: Int, _ rate: Int) -> Int {
            second < change ? 70 + second % 3 : rate
        }

        @Test("what is the matter with each is found, and those at risk are told", .enabled(if: isLong))
        func found() async throws {
            let pipeline = try await Pipeline(partitions: 3)
            let told = try TestFolder.required().path + "/told"
            let command = try TestFolder.required().write(
                "tell", "#!/bin/sh\necho \"$HEARTBEAT_CUSTOMER: $HEARTBEAT_KIND\" >>\(told)\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: command)
            let consumer = try await pipeline.startReadyConsumer("consumer", ["EPISODE_COMMAND": command])
            for second in 0..<60 {
                let now = Instant(microsecondsSince1970: wallClockMicroseconds())
                try pipeline.broker.publish(
                    Self.sensors.compactMap { sensor, _ in
                        sensor.rate(second).map {
                            let at = now.advanced(byMicroseconds: Int64(sensor.ahead(second) * 1_000_000))
                            return Message(customer: sensor.name, timestamp: at.iso8601, heartRate: $0)
                        }
                    })
                try await Task.sleep(for: .seconds(1))
            }
            for (sensor, kind) in Self.sensors {
                try await eventually("\(sensor.name): \(kind)") {
                    try pipeline.database.number(
                        """
                        SELECT count(*) FROM episodes WHERE customer_id = '\(sensor.name)' AND kind = '\(kind)'
                           AND closed_at IS NULL
                        """) == 1
                }
                guard kind.hasSuffix("cardia") else { continue }
                try await eventually("\(sensor.name) is told") {
                    (try? String(contentsOfFile: told, encoding: .utf8))?.contains("\(sensor.name): \(kind)") == true
                }
            }
            let others = try pipeline.database.rows(
                "SELECT customer_id, kind FROM episodes WHERE kind = 'signal loss' AND customer_id <> 'silent'")
            #expect(others.isEmpty, "losses that never were: \(others)")
            try await pipeline.stop(consumer)
        }
    }
}
