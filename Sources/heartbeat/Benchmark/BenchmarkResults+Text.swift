import FoundationEssentials

extension BenchmarkResults {
    /// For programs.
    var json: String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// For people.
    var text: String {
        let place =
            servers.isLocal
            ? "private servers: PostgreSQL \(servers.postgresql), a broker in memory"
            : "PostgreSQL \(servers.postgresql), Kafka at \(servers.brokers)"
        let head = "\(place); \(Self.number(messages)) messages of \(Self.number(customers)) customers"
        let names = rows.map(\.name.count).max() ?? 0
        let figures = rows.map(\.figure.count).max() ?? 0
        let lines = rows.map { row in
            let name = row.name + String(repeating: " ", count: names - row.name.count)
            let figure = row.figure + String(repeating: " ", count: figures - row.figure.count)
            return row.limit.isEmpty ? "\(name)  \(row.figure)" : "\(name)  \(figure)  \(row.limit)"
        }
        return ([head, ""] + lines + [""] + sentences).joined(separator: "\n")
    }

    /// The last sentences.
    var summary: String { sentences.joined(separator: " ") }

    /// What it means.
    private var sentences: [String] {
        let machine = servers.isThisMachine ? "This machine" : "This server"
        let isSealing = sealing.perSecond < ingest.perSecond
        let end = isSealing ? "sealing is the slower one" : "storing is the slower one"
        return [
            """
            \(machine) stores \(Self.number(Self.rounded(ingest.perSecond))) readings/s and seals \
            \(Self.number(Self.rounded(sealing.perSecond))); each reading has to be both, and \(end).
            """,
            """
            So it keeps \(Self.number(meaning.hearts)) hearts at one reading a second, with nothing in reserve: plan for \
            half of it.
            """,
            """
            A year of them takes \(Self.size(meaning.bytesPerYearInRows)) in rows, or \
            \(Self.size(meaning.bytesPerYearSealed)) sealed.
            """,
        ]
    }

    private typealias Row = (name: String, figure: String, limit: String)

    private var rows: [Row] {
        let rates: [Row] = [
            ("decoding alone", Self.rate(decode, "messages"), decode.limit),
            ("COPY alone", Self.rate(copy, "rows"), copy.limit),
            ("publishing alone", Self.rate(produce, "messages"), produce.limit),
            ("ingest", Self.rate(ingest, "messages"), ingest.limit),
        ]
        let delays = latencies.map { latency -> Row in
            (
                "latency at \(Self.number(Int(latency.rate)))/s",
                "p50 \(Self.time(latency.p50)), p99 \(Self.time(latency.p99)), p99.9 \(Self.time(latency.p999)) ms",
                latency.limit
            )
        }
        let seals: [Row] = [
            ("sealing a day", "\(Self.number(Int(sealing.perSecond))) readings/s", sealing.limit),
            ("a reading in rows", "\(Self.time(sealing.bytesInRows)) bytes", "indexes included"),
            ("a reading sealed", "\(Self.time(sealing.bytesSealed)) bytes", "indexes included"),
        ]
        let answers = queries.map { query -> Row in
            (
                "page: \(query.name)", "p50 \(Self.time(query.p50)), p99 \(Self.time(query.p99)) ms",
                "PostgreSQL, one question after another"
            )
        }
        return rates + delays + seals + answers
    }

    private static func rate(_ rate: Rate, _ unit: String) -> String { "\(number(Int(rate.perSecond))) \(unit)/s" }

    /// One digit after the point below 10, none above 100.
    private static func time(_ value: Double) -> String {
        value < 100 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
    }

    /// `180,000`.
    static func number(_ value: Int) -> String {
        var text = ""
        for (place, digit) in "\(value)".reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// `0.4 TB`.
    private static func size(_ bytes: Double) -> String {
        let units = ["kB", "MB", "GB", "TB", "PB"]
        var value = bytes / 1000
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return "\(value < 10 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))") \(units[unit])"
    }
}
