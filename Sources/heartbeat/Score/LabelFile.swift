import Consumer
import Daemon
import HeartRate
import Producer

/// What is known of the customers of a recording, from a file: times, or a label for each reading.
struct LabelFile {
    private let path: String
    private let hasTimes: Bool

    /// Looks which of the two the file has.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        hasTimes = try Table.header(of: path).contains("began_at")
    }

    /// Reads all labels, with the customer of each.
    func read(_ body: (ScoreLabel, String) -> Void) throws(CommandFailure) {
        guard hasTimes else { return try readRhythms(body) }
        try Table.read(
            path, needed: ["customer_id", "kind", "began_at", "ended_at"]
        ) { _, cells throws(CommandFailure) in
            let (began, ended) = (try Self.instant(cells[2]), try Self.instant(cells[3]))
            body(ScoreLabel(kind: cells[1], began: began, ended: max(began, ended)), cells[0])
        }
    }

    private func readRhythms(_ body: (ScoreLabel, String) -> Void) throws(CommandFailure) {
        var open: [String: ScoreLabel] = [:]
        try Table.read(
            path, needed: ["customer_id", "recorded_at", "rhythm_label"]
        ) { _, cells throws(CommandFailure) in
            let (id, at, kind) = (cells[0], try Self.instant(cells[1]), Self.kind(of: cells[2]))
            if open[id]?.kind == kind {
                open[id]?.ended = at
                return
            }
            if let label = open.removeValue(forKey: id) { body(label, id) }
            if let kind { open[id] = ScoreLabel(kind: kind, began: at, ended: at) }
        }
        for (id, label) in open.sorted(by: { $0.key < $1.key }) { body(label, id) }
    }

    /// The kind of episode that a rhythm is, by the words of the VitalDB Arrhythmia Database; another rhythm keeps its name.
    private static func kind(of rhythm: String) -> String? {
        switch rhythm {
        case "", "N": nil
        case "SND", "AVB": EpisodeKind.bradycardia.name
        case "VT", "SVTA": EpisodeKind.tachycardia.name
        default: rhythm
        }
    }

    /// A time as both files have it.
    static func instant(_ text: String) throws(CommandFailure) -> Instant {
        guard let instant = Instant(iso8601: text.utf8.span) else {
            throw CommandFailure(.config, "\"\(text)\" is not a time with an offset, as 2026-02-19T15:00:00Z")
        }
        return instant
    }
}
