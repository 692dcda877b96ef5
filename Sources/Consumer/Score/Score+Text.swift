import Bytes
import HeartRate

extension Score {
    /// What would be told, when and why, and how well that agrees with the labels.
    ///
    /// - Parameter all: also what would not be told.
    public func text(all: Bool = false) -> String {
        var lines: [String] = []
        for customer in customers {
            lines.append(Self.title(customer))
            for change in all ? customer.changes : customer.told {
                let (episode, isTold) = (change.episode, customer.told.contains { Self.isSame($0, change) })
                let mark = all && isTold ? " (told)" : ""
                lines.append(
                    "  \(change.happenedAt.iso8601) \(change.change.name) \(episode.severity.name) \(episode.kind.name)"
                        + "\(mark): \(episode.reason)")
            }
        }
        return (lines + [""] + table()).joined(separator: "\n") + "\n"
    }

    private static func isSame(_ one: CustomerEpisode, _ other: CustomerEpisode) -> Bool {
        one.change == other.change && one.episode == other.episode
    }

    private static func title(_ customer: ScoredCustomer) -> String {
        var title = "\(escapingControls(customer.id)): \(customer.readings) readings in \(decimal(customer.hours)) h"
        if customer.refused > 0 { title += ", \(customer.refused) refused" }
        if customer.late > 0 { title += ", \(customer.late) late" }
        if customer.suspect > 0 { title += ", \(customer.suspect) suspect" }
        return title
    }

    /// The figures of each kind of episode, in columns.
    private func table() -> [String] {
        var rows = [["kind", "episodes", "told", "told per 100 h"]]
        if hasLabels {
            rows[0] += ["labels", "found", "recall", "unexplained", "per 100 h", "falsely told per 100 h"]
            rows[0] += ["delay p50 s", "p95 s", "to high p50 s", "p95 s"]
        }
        for kind in kinds {
            var row = [kind.kind.name, "\(kind.episodes)", "\(kind.told)", perHundredHours(kind.told)]
            if hasLabels {
                row += ["\(kind.labels)", "\(kind.found)", kind.recall.map { Self.decimal($0, places: 4) } ?? "-"]
                row += ["\(kind.unexplained)", perHundredHours(kind.unexplained), perHundredHours(kind.falselyTold)]
                for delays in [kind.delays, kind.highDelays] {
                    for share in [0.5, 0.95] {
                        row.append(KindScore.quantile(delays, share).map { Self.decimal($0) } ?? "-")
                    }
                }
            }
            rows.append(row)
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let table = rows.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }
        return ["\(customers.count) customers, \(Self.decimal(hours)) customer-hours"] + table
    }

    /// The figures of each kind as one line of JSON.
    public var json: String {
        let kinds = kinds.map { kind in
            """
            "\(kind.kind.name)": {"true": \(kind.labels), "raised": \(kind.episodes), "told": \(kind.told), \
            "missed": \(kind.labels - kind.found), "recall": \(kind.recall.map { "\($0)" } ?? "null"), \
            "false": \(kind.unexplained), "falsely_told": \(kind.falselyTold), \
            "false_per_100h": \(hours > 0 ? "\(Double(kind.unexplained) / hours * 100)" : "null"), \
            "delay_p50": \(Self.quantile(kind.delays, 0.5)), "delay_p95": \(Self.quantile(kind.delays, 0.95)), \
            "high_delay_p50": \(Self.quantile(kind.highDelays, 0.5)), \
            "high_delay_p95": \(Self.quantile(kind.highDelays, 0.95))}
            """
        }
        return "{\"customers\": \(customers.count), \"customer_hours\": \(hours), " + kinds.joined(separator: ", ")
            + "}"
    }

    private static func quantile(_ values: [Double], _ share: Double) -> String {
        KindScore.quantile(values, share).map { "\($0)" } ?? "null"
    }

    private var kinds: [KindScore] { EpisodeKind.allCases.map { KindScore($0, customers) } }

    private func perHundredHours(_ count: Int) -> String {
        hours > 0 ? Self.decimal(Double(count) / hours * 100, places: 2) : "-"
    }

    /// With one decimal, or as many as are asked for.
    static func decimal(_ value: Double, places: Int = 1) -> String {
        let scale = (0..<places).reduce(1) { scale, _ in scale * 10 }
        let number = Int((value * Double(scale)).rounded())
        let digits = "\(abs(number) % scale)"
        return "\(number < 0 ? "-" : "")\(abs(number) / scale)."
            + String(repeating: "0", count: max(places - digits.count, 0)) + digits
    }
}
