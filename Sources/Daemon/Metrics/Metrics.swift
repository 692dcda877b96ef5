internal import Synchronization

/// What a daemon measures of itself, in Prometheus' text format.
///
/// Every sample has the label `daemon`; Prometheus has an `instance` of its own. Values are set by any thread; a `Service` writes them once a second.
public final class Metrics: Sendable {
    /// A number that only grows.
    public final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        /// Adds to it, 0 or more.
        public func add(_ count: Int = 1) { value.wrappingAdd(count, ordering: .relaxed) }

        var samples: [Figure] { [Figure(value: "\(value.load(ordering: .relaxed))")] }
    }

    /// A number that goes up and down.
    public final class Gauge: Sendable {
        private let value = Mutex<Double?>(nil)

        /// Sets it; nil takes the sample away, and so it is at first.
        public func set(_ number: Double?) { value.withLock { $0 = number } }

        var samples: [Figure] { value.withLock { $0 }.map { [Figure(value: decimalText($0))] } ?? [] }
    }

    /// How often which sizes came.
    public final class Histogram: Sendable {
        private let bounds: [Double]
        private let state: Mutex<(counts: [Int], sum: Double)>

        init(bounds: [Double]) {
            self.bounds = bounds
            state = Mutex(([Int](repeating: 0, count: bounds.count + 1), 0))
        }

        /// Counts one.
        public func observe(_ number: Double) {
            let bucket = bounds.firstIndex { number <= $0 } ?? bounds.count
            state.withLock { state in
                state.counts[bucket] += 1
                state.sum += number
            }
        }

        var samples: [Figure] {
            let (counts, sum) = state.withLock { $0 }
            var samples: [Figure] = []
            var total = 0
            for (bound, count) in zip(bounds.map(decimalText) + ["+Inf"], counts) {
                total += count
                samples.append(Figure(suffix: "_bucket", label: ("le", bound), value: "\(total)"))
            }
            return samples + [
                Figure(suffix: "_sum", value: decimalText(sum)), Figure(suffix: "_count", value: "\(total)"),
            ]
        }
    }

    struct Figure {
        var suffix = ""
        var label: (name: String, value: String)?
        let value: String
    }

    private struct Series {
        let labels: [(name: String, value: String)]
        let samples: @Sendable () -> [Figure]
    }

    private struct Family {
        let name, type, help: String
        var series: [Series] = []
    }

    /// The value of the label `daemon`, such as `consumer-1`; also the name of the file.
    public let instance: String
    private let families = Mutex<[Family]>([])

    init(instance: String) { self.instance = instance }

    /// Adds a number that only grows; its name ends in `_total`.
    public func counter(_ name: String, _ help: String, labels: KeyValuePairs<String, String> = [:]) -> Counter {
        let counter = Counter()
        add(Family(name: name, type: "counter", help: help), labels: labels) { counter.samples }
        return counter
    }

    /// Adds a number that goes up and down.
    public func gauge(_ name: String, _ help: String, labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        let gauge = Gauge()
        add(Family(name: name, type: "gauge", help: help), labels: labels) { gauge.samples }
        return gauge
    }

    /// Adds a distribution.
    ///
    /// - Parameter buckets: upper bounds, growing; the one without bound comes by itself.
    public func histogram(_ name: String, _ help: String, buckets: [Double]) -> Histogram {
        let histogram = Histogram(bounds: buckets)
        add(Family(name: name, type: "histogram", help: help), labels: [:]) { histogram.samples }
        return histogram
    }

    /// Families of one name share its first HELP and TYPE.
    private func add(
        _ family: Family, labels: KeyValuePairs<String, String>, samples: @escaping @Sendable () -> [Figure]
    ) {
        let series = Series(labels: labels.map { (name: $0.key, value: $0.value) }, samples: samples)
        families.withLock { families in
            if let place = families.firstIndex(where: { $0.name == family.name }) {
                families[place].series.append(series)
            } else {
                families.append(Family(name: family.name, type: family.type, help: family.help, series: [series]))
            }
        }
    }

    /// Everything as text. A family without a sample is left out.
    public var text: String {
        var lines: [String] = []
        for family in families.withLock({ $0 }) {
            var found: [String] = []
            for series in family.series {
                for sample in series.samples() {
                    let labels =
                        [(name: "daemon", value: instance)] + series.labels + (sample.label.map { [$0] } ?? [])
                    let list = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
                    found.append("\(family.name)\(sample.suffix){\(list)} \(sample.value)")
                }
            }
            guard !found.isEmpty else { continue }
            lines += ["# HELP \(family.name) \(family.help)", "# TYPE \(family.name) \(family.type)"] + found
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

/// A label's value as the format wants it: backslash, quote and line end escaped.
private func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        case "\n": text += "\\n"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}
