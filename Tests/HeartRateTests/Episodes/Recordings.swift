import Foundation
import HeartRate
import Testing

/// Recordings of real hearts, by customer, with the experts' labels where there are any.
struct Recordings {
    struct Reading {
        /// In microseconds since 1970.
        var at: Int64
        var bpm: Int16
        /// The rhythm, as the experts name it.
        var label = ""
        /// Whether the experts could not trust the signal.
        var isNoise = false
    }

    private struct Unreadable: Error {
        let line: String
    }

    /// By customer; what validation refuses is left out.
    var customers: [(id: String, readings: [Reading])] = []

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A whole recording beside the checkout; nil when it is not there.
    static func whole(_ name: String, labels: String? = nil) throws -> Recordings? {
        let folder = package.deletingLastPathComponent().appending(path: "shared/data")
        let file = folder.appending(path: name + ".csv.gz").path
        guard access(file, R_OK) == 0 else { return nil }
        let lines = try labels.map { try unpacked(folder.appending(path: $0 + ".csv.gz").path) } ?? []
        return try Recordings(lines: unpacked(file), labels: lines)
    }

    /// An excerpt in the checkout.
    static func excerpt(_ name: String) throws -> Recordings {
        let file = package.appending(path: "Tests/Fixtures/\(name)_excerpt.csv")
        return try Recordings(lines: Self.lines(Data(contentsOf: file)), labels: [])
    }

    private static func unpacked(_ file: String) throws -> [Substring] {
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", file]
        let pipe = Pipe()
        gzip.standardOutput = pipe
        try gzip.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        gzip.waitUntilExit()
        try #require(gzip.terminationStatus == 0)
        return lines(data)
    }

    /// The lines after the header.
    private static func lines(_ data: Data) -> [Substring] {
        Array(String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst())
    }

    private init(lines: [Substring], labels: [Substring]) throws {
        var places: [Substring: Int] = [:]
        for (index, line) in lines.enumerated() {
            let fields = line.split(separator: ",")
            let bpm = try #require(fields.count == 3 ? Int16(fields[2]) : nil)
            guard Reading.isStorable(bpm) else { continue }
            let time = Array(fields[1].utf8)
            guard let instant = Instant(iso8601: time.span) else { throw Unreadable(line: String(line)) }
            var reading = Reading(at: instant.microsecondsSince1970, bpm: bpm)
            if !labels.isEmpty {
                let label = labels[index].split(separator: ",", omittingEmptySubsequences: false)
                try #require(label[0] == fields[0] && label[1] == fields[1])
                reading.label = String(label[3])
                reading.isNoise = label[3] == "Noise" || label[4] == "true"
            }
            let place = places[fields[0], default: customers.count]
            if place == customers.count {
                places[fields[0]] = place
                customers.append((String(fields[0]), []))
            }
            customers[place].readings.append(reading)
        }
    }
}

extension Recordings.Reading {
    static func isStorable(_ bpm: Int16) -> Bool { HeartRate.Reading.storableHeartRates.contains(bpm) }
}

/// What a detector made of one customer's readings.
struct Scored {
    let id: String
    let readings: [Recordings.Reading]
    /// As they were last, the open ones, too.
    private(set) var episodes: [Episode] = []
    /// When high severity was raised, and of what.
    private(set) var alarms: [(kind: EpisodeKind, at: Int64)] = []
    /// Runs of readings that carry the contract's flag: what is alarmed without episodes.
    let flaggedRuns: Int

    init(_ id: String, _ readings: [Recordings.Reading], rules: EpisodeRules = EpisodeRules()) {
        self.id = id
        self.readings = readings
        let flags = readings.map { AnomalyRule().judge($0.bpm) != nil }
        flaggedRuns = zip(flags, [false] + flags).count { $0 && !$1 }
        var detector = Detector()
        var closed: [Episode] = []
        var raised: [(kind: EpisodeKind, at: Int64)] = []
        for reading in readings {
            let instant = Instant(microsecondsSince1970: reading.at)
            detector.take(Sample(reading.bpm, at: instant), rules: rules, limits: CustomerLimits()) { episode, change in
                if change == .closed { closed.append(episode) }
                let isRaised = change == .opened || change == .escalated
                if isRaised, episode.severity == .high { raised.append((episode.kind, reading.at)) }
            }
        }
        detector.openEpisodes { closed.append($0) }
        (episodes, alarms) = (closed, raised)
    }

    /// Those of bradycardia and tachycardia.
    var heartAlarms: [(kind: EpisodeKind, at: Int64)] {
        alarms.filter { $0.kind == .bradycardia || $0.kind == .tachycardia }
    }

    func count(_ kind: EpisodeKind) -> Int { episodes.count { $0.kind == kind } }

    /// The most alarms within an hour.
    var mostInHour: Int {
        heartAlarms.map { first in
            heartAlarms.count { $0.at >= first.at && $0.at < first.at + 3_600_000_000 }
        }.max() ?? 0
    }

    /// A stretch of time, in microseconds since 1970.
    struct Stretch {
        var kind: EpisodeKind
        var from: Int64
        var to: Int64
        /// The share of its readings that experts could not trust.
        var noise: Double
    }

    /// Where the mean of ten seconds is below 40 or above 180 for eight seconds or longer.
    ///
    /// Of the last ten seconds' readings, plain or weighted by the time since the one before (at most five seconds).
    /// A gap of more than ten seconds ends a stretch.
    func meansBeyond(weighted: Bool) -> [Stretch] {
        var stretches: [Stretch] = []
        var first = 0
        var begin: [Int?] = [nil, nil]
        for index in readings.indices {
            while readings[first].at <= readings[index].at - 10_000_000 { first += 1 }
            var (sum, weights) = (0.0, 0.0)
            for place in first...index {
                let step = place > 0 ? min(readings[place].at - readings[place - 1].at, 5_000_000) : 1_000_000
                let weight = weighted ? Double(step) : 1
                sum += Double(readings[place].bpm) * weight
                weights += weight
            }
            let mean = sum / max(weights, 1e-9)
            let isApart = index > 0 && readings[index].at - readings[index - 1].at > 10_000_000
            for (side, isBeyond) in [mean < 40, mean > 180].enumerated() {
                if let start = begin[side], !isBeyond || isApart || index == readings.count - 1 {
                    let part = readings[start..<index]
                    // Two readings alone are no mean.
                    if let last = part.last, part.count > 2, last.at - readings[start].at >= 8_000_000 {
                        let noise = Double(part.count { $0.isNoise }) / Double(part.count)
                        stretches.append(
                            Stretch(
                                kind: side == 0 ? .bradycardia : .tachycardia, from: readings[start].at, to: last.at,
                                noise: noise))
                    }
                    begin[side] = nil
                }
                if isBeyond, begin[side] == nil { begin[side] = index }
            }
        }
        return stretches
    }

    /// The episode of a kind that overlaps a stretch; of several the first.
    func episode(over stretch: Stretch) -> Episode? {
        episodes.first {
            // A beat of 5 bpm is a gap of 12 s: the signal was lost.
            ($0.kind == stretch.kind || $0.kind == .signalLoss) && $0.openedAt.microsecondsSince1970 <= stretch.to
                && ($0.closedAt ?? .latest).microsecondsSince1970 >= stretch.from
        }
    }
}
