import Foundation
import HeartRate
import Testing

/// What the detector makes of real hearts. The whole recordings are read when they are beside the checkout, otherwise
/// the excerpts in it; those of surgery, with the experts' labels, are only there.
@Suite("Detector, recordings") struct DetectorRecordingTests {
    private static func score(_ recordings: Recordings) -> [Scored] {
        recordings.customers.map { Scored($0.id, $0.readings) }
    }

    static let beats = Result {
        try score(Recordings.whole("clinical_mitbih_beats") ?? Recordings.excerpt("mitbih"))
    }
    static let exercise = Result {
        try score(Recordings.whole("exercise_fit_tcx") ?? Recordings.excerpt("exercise"))
    }
    static let wearable = Result {
        try score(Recordings.whole("wearable_fitbit") ?? Recordings.excerpt("fitbit"))
    }
    static let surgery = Result {
        try Recordings.whole("clinical_vitaldb_beats", labels: "clinical_vitaldb_labels").map(score)
    }
    static let isWhole = (try? surgery.get()) != nil

    @Test("hearts with harmless extra beats raise nothing")
    func harmless() throws {
        let scored = try Self.beats.get()
        table(scored)
        for one in scored { #expect(one.episodes.isEmpty, "\(one.id)") }
    }

    @Test("sport raises high severity only above 180 bpm, and at most four times in an hour")
    func sport() throws {
        let scored = try Self.exercise.get()
        table(scored)
        for one in scored {
            #expect(one.mostInHour <= 4, "\(one.id)")
            if one.readings.allSatisfy({ $0.bpm <= 180 }) { #expect(one.heartAlarms.isEmpty, "\(one.id)") }
        }
        if Self.isWhole { #expect(scored.contains { !$0.heartAlarms.isEmpty }) }
    }

    @Test("a month with a wearable is quiet")
    func month() throws {
        let scored = try Self.wearable.get()
        table(scored)
        for one in scored {
            #expect(one.count(.deviation) == 0, "\(one.id)")
            #expect(one.heartAlarms.count <= 6, "\(one.id)")
        }
    }

    @Test("noise in an operating room raises no high severity, and who is ill is found")
    func surgery() throws {
        guard let scored = try Self.surgery.get() else {
            print("the recordings of surgery are not beside the checkout: nothing compared with the experts' labels")
            return
        }
        table(scored)
        labels(scored)
        for one in scored {
            for alarm in one.heartAlarms {
                let reading = try #require(one.readings.first { $0.at == alarm.at })
                #expect(!reading.isNoise, "\(one.id), high \(alarm.kind.name) \(seconds(alarm.at, one)) s")
            }
        }
        func found(_ id: String, _ kind: EpisodeKind, worst: Severity) -> Bool {
            scored.contains { one in
                one.id == "vitaldb-\(id)" && one.episodes.contains { $0.kind == kind && $0.worstSeverity == worst }
            }
        }
        // Sinus node dysfunction, AV block, bigeminy of early atrial beats, slow atrial fibrillation.
        for id in ["5169", "1420", "1063", "3918"] { #expect(found(id, .bradycardia, worst: .high), "\(id)") }
        // Sinus node dysfunction and bigeminy in which each fourth beat is slow.
        for id in ["3948", "1001"] { #expect(found(id, .bradycardia, worst: .medium), "\(id)") }
        #expect(found("5130", .tachycardia, worst: .high))
        #expect(found("2400", .tachycardia, worst: .medium))
        #expect(scored.filter { $0.heartAlarms.isEmpty }.count == 7)
    }

    @Test("every mean of ten seconds beyond the limits is covered by an episode, noise aside")
    func covered() throws {
        let files = [
            try Self.surgery.get() ?? [], try Self.beats.get(), try Self.exercise.get(), try Self.wearable.get(),
        ]
        for one in files.joined() {
            for weighted in [false, true] {
                for stretch in one.meansBeyond(weighted: weighted) {
                    let episode = one.episode(over: stretch)
                    let text =
                        "\(one.id): \(stretch.kind.name), \(weighted ? "weighted" : "plain") mean, \(seconds(stretch.from, one)) to \(seconds(stretch.to, one)) s"
                    if let episode {
                        let delay = Double(episode.raisedAt.microsecondsSince1970 - stretch.from) / 1_000_000
                        print(
                            "\(text): \(episode.worstSeverity.name), \(delay <= 0 ? "open already" : "after \(delay) s")"
                        )
                    } else {
                        print("\(text): missed, \(Int(stretch.noise * 100)) % noise")
                    }
                    if stretch.noise < 0.5 { #expect(episode != nil, "\(text)") }
                }
            }
        }
    }

    @Test("at least four of five alarms are gone")
    func fewer() throws {
        guard let surgery = try Self.surgery.get() else { return }
        let all = try [surgery, Self.beats.get(), Self.exercise.get(), Self.wearable.get()].joined()
        let runs = all.reduce(0) { $0 + $1.flaggedRuns }
        let alarms = all.reduce(0) { $0 + $1.heartAlarms.count }
        let episodes = all.reduce(0) { $0 + $1.count(.bradycardia) + $1.count(.tachycardia) }
        print(
            "runs of flags \(runs), alarms of high severity \(alarms), bradycardias and tachycardias of any \(episodes)"
        )
        #expect(runs == 1217)
        #expect(alarms * 5 <= runs && episodes * 5 <= runs)
        #expect(alarms > 0)
    }

    private func seconds(_ at: Int64, _ one: Scored) -> Int { Int((at - one.readings[0].at) / 1_000_000) }

    private func table(_ scored: [Scored]) {
        for one in scored {
            let counts = EpisodeKind.allCases.map { "\($0.name) \(one.count($0))" }.joined(separator: ", ")
            let losses = one.alarms.count - one.heartAlarms.count
            print(
                "\(one.id): flagged runs \(one.flaggedRuns), high \(one.heartAlarms.count) (at most \(one.mostInHour) in an hour)"
                    + ", high signal losses \(losses); episodes: \(counts)")
        }
    }

    /// Of each label: how long, how much of it in episodes, how many alarms it raised, and how long after its beginning
    /// something of the heart was raised, and high severity.
    private func labels(_ scored: [Scored]) {
        struct Row {
            var (seconds, slow, fast, covered, alarms) = (0.0, 0, 0, EpisodeKind.allCases.map { _ in 0.0 }, 0)
            var (spells, first, high): (Int, [Double], [Double]) = (0, [], [])
        }
        var rows: [String: Row] = [:]
        for one in scored {
            for (index, reading) in one.readings.enumerated() {
                let step = index > 0 ? min(Double(reading.at - one.readings[index - 1].at) / 1_000_000, 5) : 0
                var row = rows[reading.name, default: Row()]
                row.seconds += step
                if reading.bpm < 40 { row.slow += 1 }
                if reading.bpm > 180 { row.fast += 1 }
                for kind in EpisodeKind.allCases {
                    let stretch = Scored.Stretch(kind: kind, from: reading.at, to: reading.at, noise: 0)
                    if one.episode(over: stretch) != nil { row.covered[Int(kind.rawValue)] += step }
                }
                row.alarms += one.heartAlarms.count { $0.at == reading.at }
                if index == 0 || one.readings[index - 1].name != reading.name {
                    let end = one.readings[index...].first { $0.name != reading.name }?.at ?? .max
                    row.spells += 1
                    if let delay = one.firstRaised(from: reading.at, until: end) { row.first.append(delay) }
                    if let delay = one.firstHigh(from: reading.at, until: end) { row.high.append(delay) }
                }
                rows[reading.name] = row
            }
        }
        func median(_ delays: [Double]) -> String {
            delays.isEmpty ? "-" : "\(delays.sorted()[delays.count / 2]) s in \(delays.count)"
        }
        for (label, row) in rows.sorted(by: { $0.key < $1.key }) {
            print(
                "\(label): \(Int(row.seconds)) s in \(row.spells) spells, beats below 40: \(row.slow), above 180: \(row.fast); "
                    + "in bradycardia \(Int(row.covered[0])) s, in tachycardia \(Int(row.covered[1])) s; high raised "
                    + "\(row.alarms); median delay to first \(median(row.first)), to high \(median(row.high))")
        }
    }
}

extension Recordings.Reading {
    /// The rhythm, as the experts name it.
    fileprivate var name: String { isNoise ? "noise or bad signal" : label.isEmpty ? "none" : label }
}

extension Scored {
    /// How long after a time the first episode of the heart was raised, in seconds; 0 when one was open.
    fileprivate func firstRaised(from: Int64, until end: Int64) -> Double? {
        let delays = episodes.compactMap { episode -> Double? in
            guard episode.kind == .bradycardia || episode.kind == .tachycardia else { return nil }
            let raised = episode.raisedAt.microsecondsSince1970
            guard raised < end, (episode.closedAt ?? .latest).microsecondsSince1970 > from else { return nil }
            return max(Double(raised - from) / 1_000_000, 0)
        }
        return delays.min()
    }

    /// The same of high severity.
    fileprivate func firstHigh(from: Int64, until end: Int64) -> Double? {
        heartAlarms.filter { (from..<end).contains($0.at) }.map { Double($0.at - from) / 1_000_000 }.min()
    }
}
