import Foundation
import Harness
import HeartRate
import Testing

/// What `heartbeat score` tells of made recordings, each of which was once told wrongly: `Tests/Fixtures/detection`.
@Suite("Made cases of detection", .ownFolder, .logsOnFailure) struct DetectionCaseTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/detection")
    /// When all of them begin.
    private static let begin: Int64 = 1_788_220_800

    /// What became of an episode.
    struct Change {
        /// In seconds since the beginning.
        let at: Double
        let change: String
        let severity: String
        let kind: String
        let isTold: Bool
        let text: String

        /// A line as `2026-09-01T00:00:20Z opened medium signal loss (told): why`; nil when it is another one.
        init?(_ line: Substring) {
            let words = line.split(separator: " ", maxSplits: 3)
            let time = words.first.map { Array($0.utf8) } ?? []
            guard words.count == 4, let instant = Instant(iso8601: time.span) else { return nil }
            at = Double(instant.microsecondsSince1970) / 1_000_000 - Double(DetectionCaseTests.begin)
            (change, severity) = (String(words[1]), String(words[2]))
            isTold = words[3].contains(" (told): ")
            kind = String(words[3].prefix { $0 != ":" && $0 != "(" }).trimmingCharacters(in: .whitespaces)
            text = String(line)
        }
    }

    /// Everything that became of the episodes of a recording.
    private func changes(_ name: String, limits: String? = nil) async throws -> [Change] {
        let file = try #require(
            ["hearts", "sensors"].map { Self.folder.appending(path: "\($0)/\(name).csv.gz").path }
                .first(where: FileManager.default.fileExists))
        let own = try limits.map { ["--limits", try TestFolder.required().write("limits.csv", $0)] } ?? []
        let score = try await Heartbeat.run(["score", file, "--all"] + own, [:])
        #expect(score.end == .exited(0), "\(score.log)")
        return score.output.split(separator: "\n").compactMap { Change($0) }
    }

    private func expectNone(
        _ changes: [Change], _ name: String, where isWrong: (Change) -> Bool
    ) {
        let wrong = changes.filter(isWrong).map(\.text)
        #expect(wrong.isEmpty, "\(name): \(wrong)")
    }

    private static func isOfHeart(_ change: Change) -> Bool { ["bradycardia", "tachycardia"].contains(change.kind) }

    @Test("a sensor that misses beats is a poor signal, and of each second beat nobody can tell")
    func missedBeats() async throws {
        let missed = try await changes("01_missed_beats")
        expectNone(missed, "01", where: Self.isOfHeart)
        #expect(missed.contains { $0.kind == "poor signal" })
        let second = try await changes("01b_missed_every_second_beat")
        expectNone(second, "01b") { $0.severity == "high" || $0.isTold }
    }

    @Test("noise, a gap and noise again are nothing of the heart")
    func noise() async throws {
        expectNone(try await changes("02_noise_gap_noise"), "02", where: Self.isOfHeart)
    }

    @Test(
        "a stamp that is ahead, and a clock that is set back, hide nothing",
        arguments: [
            ("03_one_stamp_ahead", "tachycardia", 600.0), ("03b_one_stamp_a_day_ahead", "bradycardia", 600),
            ("04_clock_back_1h", "bradycardia", 100),
        ])
    func clocks(name: String, kind: String, began: Double) async throws {
        let changes = try await changes(name)
        let high = try #require(changes.first { $0.severity == "high" }, "\(name)")
        #expect(high.kind == kind && high.isTold)
        #expect(high.at < began + 20, "\(name): \(high.text)")
        // No loss is told that never was.
        expectNone(changes, name) { $0.kind == "signal loss" && $0.isTold }
    }

    @Test("a device that changes its rate, or tells in bursts, is no signal loss")
    func rates() async throws {
        for name in ["05_watch_after_workout", "05b_band_60s_600s", "05c_bursts"] {
            expectNone(try await changes(name), name) { $0.kind == "signal loss" || $0.severity == "high" }
        }
    }

    @Test("high severity eases after a quarter of an hour inside of the limits")
    func eases() async throws {
        for name in ["06_hover_above_limit", "06b_hover_below_limit"] {
            let changes = try await changes(name)
            let high = try #require(changes.last { $0.severity == "high" }, "\(name)")
            let eased = try #require(changes.last { $0.change == "eased" && $0.severity == "medium" }, "\(name)")
            #expect(eased.at > high.at && eased.at - high.at < 1000, "\(name): \(eased.text)")
        }
    }

    @Test("fast and irregular is high within 15 s, and a run of six seconds leaves a record")
    func irregular() async throws {
        for (name, began) in [("07_irregular_fast", 300.0), ("07c_vf_like_12s", 300)] {
            let high = try #require(try await changes(name).first { $0.severity == "high" }, "\(name)")
            #expect(high.kind == "tachycardia" && high.isTold)
            #expect(high.at - began <= 15, "\(name): \(high.text)")
        }
        #expect(try await changes("07b_vt_6s_245").contains { $0.kind == "tachycardia" })
    }

    @Test("own limits replace those that are made for adults")
    func child() async throws {
        let limits = "customer_id,heart_rate_min,heart_rate_max\nchild,80,200\n"
        expectNone(try await changes("08_child_own_limits", limits: limits), "08") { _ in true }
        #expect(try await changes("08_child_own_limits").contains { $0.kind == "tachycardia" })
    }

    @Test("what comes after an effort is recovery, and ten minutes above 120 at rest are told")
    func rest() async throws {
        expectNone(try await changes("09_recovery_at_rest"), "09", where: Self.isOfHeart)
        let rest = try #require(try await changes("10_rest_125_none").first { $0.isTold }, "10")
        #expect(rest.kind == "tachycardia" && rest.severity == "medium" && rest.at < 660)
    }

    @Test("a drift is told, also of a sensor that tells each five minutes, and a fever is open for its day")
    func drift() async throws {
        for name in ["11_drift_300s", "11b_drift_60s"] {
            let changes = try await changes(name)
            #expect(changes.contains { $0.kind == "trend" && $0.isTold }, "\(name)")
            #expect(changes.contains { $0.kind == "tachycardia" && $0.severity == "medium" && $0.isTold }, "\(name)")
        }
        let fever = try await changes("12_fever_day_60s").filter { $0.kind == "deviation" }
        #expect(fever.map(\.change) == ["opened", "closed"])
        let hours = try #require(fever.last).at - #require(fever.first).at
        #expect(hours > 23 * 3600, "\(hours / 3600) h")
    }

    @Test("a sensor that holds its last value is told")
    func held() async throws {
        let stuck = try #require(try await changes("13_hold_last_value").first)
        #expect(stuck.kind == "sensor stuck" && stuck.severity == "medium")
    }

    @Test("an athlete's first night is a record")
    func athlete() async throws {
        let night = try await changes("14_mostly_sleep_athlete")
        expectNone(night, "14") { $0.severity != "low" || $0.isTold }
        #expect(night.contains { $0.kind == "bradycardia" })
    }
}
