import Foundation
import HeartRate
import Simulation
import Testing

@testable import Consumer

/// Everybody who falls silent is found, whatever happens to the consumer at whichever moment.
@Suite("Silence, random schedules") struct SilenceScheduleTests {
    private static let count = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == nil ? 300 : 10_000

    @Test("reload, rebalance, restart and a full cache at each point of a silence: everybody is found")
    func everybody() throws {
        var found = 0
        for seed in 0..<Self.count {
            var schedule = try SilenceSchedule(seed: UInt64(seed))
            try schedule.run()
            for (customer, fault) in schedule.faults { Issue.record("seed \(seed), \(customer): \(fault)") }
            guard schedule.faults.isEmpty else { return }
            found += schedule.silent.count
        }
        print("\(Self.count) schedules: \(found) customers fell silent, and all were found")
        #expect(found > Self.count)
    }

    @Test("without the table nobody would be found after a reload: the check sees it")
    func check() throws {
        var missed = 0
        for seed in 0..<50 {
            var schedule = try SilenceSchedule(seed: UInt64(seed))
            schedule.forgetsOnReload = true
            try schedule.run()
            if !schedule.faults.isEmpty { missed += 1 }
        }
        #expect(missed > 25)
    }
}

/// Some customers, of whom some fall silent, and a consumer to which things happen; a second each step.
struct SilenceSchedule {
    private static let customers = (0..<8).map { "customer \($0)" }
    private static let begin: Int64 = 1_771_516_800

    private var random: SplitMix64
    private let rules = EpisodeRules()
    private var detection: Detection
    private let most: Int
    /// What the database has: states, and the open episodes.
    private var stored: [String: [UInt8]] = [:]
    private var episodes: [String: [EpisodeKind: Severity]] = [:]
    private var continuous: Set<String> = []
    /// Who falls silent, in which second.
    private(set) var silent: [String: Int] = [:]
    private(set) var faults: [(String, String)] = []
    /// Breaks what is tested: a reload as it once was.
    var forgetsOnReload = false

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed, stream: 14)
        most = [2, 4, 100].randomElement(using: &random)!
        detection = Detection(most: most)
        for customer in Self.customers where Int.random(in: 0..<4, using: &random) == 0 { continuous.insert(customer) }
        for customer in Self.customers.dropLast() where Bool.random(using: &random) {
            silent[customer] = Int.random(in: 20..<45, using: &random)
        }
        if silent.isEmpty { silent[Self.customers[0]] = 30 }
    }

    mutating func run() throws {
        // At least one thing happens around each silence.
        var events: Set<Int> = [50]
        for (_, second) in silent { events.insert(second + Int.random(in: -2...34, using: &random)) }
        for second in 1...120 {
            if events.contains(second) { happen(at: second) }
            try step(second)
        }
        for (customer, second) in silent {
            let worst = episodes[customer]?[.signalLoss]
            let expected: Severity = continuous.contains(customer) ? .high : .medium
            if worst != expected {
                faults.append(
                    (
                        customer,
                        "silent since \(second) s, loss \(worst.map { $0.name } ?? "none"), expected \(expected.name)"
                    ))
            }
        }
        for customer in Self.customers where silent[customer] == nil && episodes[customer]?.isEmpty == false {
            faults.append((customer, "never silent, and yet \(episodes[customer] ?? [:])"))
        }
    }

    private mutating func happen(at second: Int) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: forgetsOnReload ? detection.forget() : detection.reload()
        case 1:
            detection.forget()
            watch(at: second)
        default:
            detection = Detection(most: most)
            watch(at: second)
        }
    }

    private mutating func watch(at second: Int) {
        guard !forgetsOnReload else { return }
        detection.watch(stored.keys.sorted().map(restored), at: Int64(second) * 1000, by: rules)
    }

    private func restored(_ customer: String) -> StoredDetector {
        let detector = stored[customer].flatMap { Detector(checkpoint: $0) }
        return StoredDetector(
            id: customer, detector: detector ?? Detector(),
            limits: CustomerLimits(isContinuous: continuous.contains(customer)),
            isUnreadable: stored[customer] != nil && detector == nil)
    }

    private mutating func step(_ second: Int) throws {
        var batch = Batch()
        batch.start(at: [Position(sourceID: 1, partition: 0, offset: 0)])
        for customer in Self.customers where second < silent[customer] ?? .max {
            let reading = Reading(
                customerID: try CustomerID(customer),
                recordedAt: Instant(microsecondsSince1970: (Self.begin + Int64(second)) * 1_000_000),
                heartRate: Int16(70 + second % 3))
            batch.append(try #require(reading), anomaly: nil, day: nil, slot: 0, offset: Int64(second))
        }
        batch.arrange()
        let now = Int64(second) * 1000
        if detection.silences.isDue(at: now) { batch.judgeSilence(at: SilenceMoment(at: now), next: [:]) }
        let involved = detection.prepare(batch)
        let unknown = involved.unknown.map { String(decoding: detection.states.id($0), as: UTF8.self) }
        detection.restore(involved.unknown, unknown.map(restored), at: now)
        detection.judge(&batch, involved, at: now, by: rules)
        guard let findings = batch.findings else { return }
        let ids = batch.customers.changes.indices.map {
            String(decoding: batch.customers.customers.id($0), as: UTF8.self)
        }
        for id in Set(ids).union(findings.silent) { stored[id] = detection.states.checkpoint(of: id.utf8.span) }
        detection.trim()
        for found in findings.episodes {
            let severity = found.episode.closedAt == nil ? found.episode.severity : nil
            episodes[found.customerID, default: [:]][found.episode.kind] = severity
        }
    }
}
