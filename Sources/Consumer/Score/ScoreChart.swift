import HeartRate

/// One customer's curve with limits and bands, as SVG.
struct ScoreChart {
    private static let (width, height, left, top) = (1200.0, 300.0, 40.0, 10.0)
    /// The label's band is below the curve.
    private static let bottom = 24.0

    private let customer: ScoredCustomer
    private let begin: Double
    private let length: Double
    private let lowest: Double
    private let highest: Double

    init(_ customer: ScoredCustomer) {
        self.customer = customer
        begin = Double(customer.first.microsecondsSince1970)
        length = max(Double(customer.last.microsecondsSince1970) - begin, 1)
        let rates = customer.points.map(\.rate)
        lowest = min(Double(rates.min() ?? 40), 35) - 5
        highest = max(Double(rates.max() ?? 180), 140) + 5
    }

    /// The element.
    var svg: String {
        """
        <svg viewBox="0 0 \(Int(Self.width + Self.left)) \(Int(Self.height + Self.top + Self.bottom))" role="img" \
        aria-label="heart rate over time">\(bands)\(labels)\(limits)\(curve)\(axis)</svg>
        """
    }

    private func x(_ at: Int64) -> Double {
        Self.left + min(max((Double(at) - begin) / length, 0), 1) * Self.width
    }

    private func y(_ bpm: Double) -> Double {
        Self.top + (highest - min(max(bpm, lowest), highest)) / (highest - lowest) * Self.height
    }

    private var bands: String {
        customer.episodes.map { episode in
            let end = episode.closedAt ?? customer.last
            let title = "\(episode.worstSeverity.name) \(episode.kind.name): \(episode.reason)"
            return band(
                episode.worstSeverity.name, from: episode.openedAt, to: end, in: Self.top...Self.top + Self.height,
                title)
        }.joined()
    }

    private var labels: String {
        let below = Self.top + Self.height + 4
        return customer.labels.map { label in
            band("label", from: label.began, to: label.ended, in: below...below + 12, label.kind)
        }.joined()
    }

    private func band(
        _ name: String, from: Instant, to: Instant, in rows: ClosedRange<Double>, _ title: String
    ) -> String {
        let start = x(from.microsecondsSince1970)
        let width = max(x(to.microsecondsSince1970) - start, 1)
        return """
            <rect class="band \(name)" x="\(Score.decimal(start))" y="\(Score.decimal(rows.lowerBound))" \
            width="\(Score.decimal(width))" height="\(Score.decimal(rows.upperBound - rows.lowerBound))"><title>\(Score.escaped(title))</title></rect>
            """
    }

    /// The lowest and the highest rate of each column of pixels, so that a month is no larger than an hour.
    private var curve: String {
        var text = ""
        var (column, low, high, isFirst) = (-1, Int16.max, Int16.min, true)
        var lastAt = Int64.min
        func flush() {
            guard low <= high else { return }
            let place = Score.decimal(Double(column))
            text += "\(isFirst ? "M" : "L")\(place) \(Score.decimal(y(Double(low))))"
            if high > low { text += "L\(place) \(Score.decimal(y(Double(high))))" }
            isFirst = false
        }
        for point in customer.points {
            let next = Int(x(point.at))
            if next != column {
                flush()
                // What is further apart than a fiftieth is not joined.
                if lastAt > .min, Double(point.at - lastAt) > length / 50 { isFirst = true }
                (column, low, high) = (next, point.rate, point.rate)
            }
            low = min(low, point.rate)
            high = max(high, point.rate)
            lastAt = point.at
        }
        flush()
        return "<path class=\"curve\" d=\"\(text)\"/>"
    }

    private var limits: String {
        line("high") { $0.high.upperBound } + line("high") { $0.high.lowerBound }
            + line("medium") { $0.mediumMax } + line("medium") { $0.mediumMin }
    }

    private func line(_ name: String, _ value: (Detector.LimitsInForce) -> Int16?) -> String {
        var text = ""
        for (index, step) in customer.limitSteps.enumerated() {
            guard let bpm = value(step.limits) else { continue }
            let isLast = index + 1 == customer.limitSteps.count
            let end = isLast ? customer.last.microsecondsSince1970 : customer.limitSteps[index + 1].at
            let place = Score.decimal(y(Double(bpm)))
            text += "M\(Score.decimal(x(step.at))) \(place)H\(Score.decimal(x(end)))"
        }
        return "<path class=\"limit \(name)\" d=\"\(text)\"/>"
    }

    private var axis: String {
        var text = ""
        for bpm in stride(from: 40, through: Int(highest), by: 40) {
            text += "<text x=\"4\" y=\"\(Score.decimal(y(Double(bpm)) + 4))\">\(bpm)</text>"
        }
        let bottom = Score.decimal(Self.top + Self.height + Self.bottom - 2)
        for share in [0.0, 0.25, 0.5, 0.75] {
            let at = Instant(microsecondsSince1970: Int64(begin + length * share))
            text += "<text x=\"\(Score.decimal(x(at.microsecondsSince1970)))\" y=\"\(bottom)\">\(at.iso8601)</text>"
        }
        return text
    }
}
