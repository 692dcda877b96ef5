import Bytes
import HeartRate

extension Score {
    /// A page with each customer's curve, the limits in force, the episodes and the labels as bands: one file that needs no
    /// other.
    public var page: String {
        let parts = customers.map { customer in
            "<h2>\(Self.escaped(customer.id))</h2>\(ScoreChart(customer).svg)\(Self.list(customer))"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>heartbeat score</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>\(Self.style)</style></head><body>
            <h1>What heartbeat makes of this recording</h1>
            <p>Bands: <span class="key high">high</span> <span class="key medium">medium</span>
            <span class="key low">low severity</span> <span class="key label">what is known</span>. Lines: the heart rate,
            and the limits of high and medium severity in force. heartbeat is no medical device.</p>
            \(parts.joined(separator: "\n"))
            <h2>Figures</h2><pre>\(Self.escaped(text()))</pre></body></html>

            """
    }

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;max-width:1280px;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
        background:#fff}svg{width:100%;height:auto;background:#fbfbfc;border:1px solid #d8dce0}\
        .curve{fill:none;stroke:#1f5f99;stroke-width:1}.limit{fill:none;stroke-width:1;stroke-dasharray:4 3}\
        .limit.high{stroke:#b3261e}.limit.medium{stroke:#a86400}.band{fill-opacity:.3}\
        .band.high,.key.high{fill:#d93025;background:#f3b9b4}.band.medium,.key.medium{fill:#f29900;background:#fbdca4}\
        .band.low,.key.low{fill:#4b8bbe;background:#c9deee}.band.label,.key.label{fill:#1e8e3e;background:#b7e1c1}\
        .key{padding:0 .4em}text{font-size:11px;fill:#4a5057}table{border-collapse:collapse;margin:.5rem 0 2rem}\
        td,th{padding:.1rem .8rem .1rem 0;text-align:left;vertical-align:top}pre{overflow-x:auto}
        """

    private static func list(_ customer: ScoredCustomer) -> String {
        guard !customer.episodes.isEmpty else { return "<p>No episode.</p>" }
        let rows = customer.episodes.map { episode in
            """
            <tr><td>\(episode.openedAt.iso8601)</td><td>\(episode.closedAt?.iso8601 ?? "open")</td>\
            <td>\(episode.worstSeverity.name)</td><td>\(episode.kind.name)</td>\
            <td>\(customer.isTold(episode) ? "told" : "")</td><td>\(escaped(episode.reason))</td></tr>
            """
        }
        return "<table><tr><th>from</th><th>to</th><th>severity</th><th>kind</th><th></th><th>why</th></tr>"
            + rows.joined() + "</table>"
    }

    /// Text in HTML.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
