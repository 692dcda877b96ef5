import Foundation

/// A file in Prometheus' text format, read strictly: whatever the format does not allow is an error.
package struct MetricsFile {
    /// The values by the sample as it stands there: `name{label="value"}`.
    package private(set) var values: [String: Double] = [:]
    private var types: [String: String] = [:]
    private var helped: Set<String> = []

    /// Reads the text of a file.
    package init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw HarnessError("the last line has no end") }
        var closed: Set<String> = []
        var family = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) {
                let name = String(match.2)
                if name != family {
                    guard !closed.contains(name) else { throw HarnessError("\(name) is there twice") }
                    closed.insert(name)
                    family = name
                }
                if match.1 == "HELP" {
                    guard helped.insert(name).inserted else { throw HarnessError("a second HELP: \(line)") }
                } else {
                    guard ["counter", "gauge", "histogram"].contains(match.3), types[name] == nil else {
                        throw HarnessError("not allowed: \(line)")
                    }
                    types[name] = String(match.3)
                }
                continue
            }
            try readSample(String(line), family)
        }
        guard helped == Set(types.keys) else { throw HarnessError("HELP or TYPE is missing") }
        try checkHistograms()
    }

    private mutating func readSample(_ line: String, _ family: String) throws {
        let label = #"[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*""#
        let sample = try Regex(#"([a-zA-Z_:][a-zA-Z0-9_:]*)\{\#(label)(,\#(label))*\} \S+"#)
        guard line.wholeMatch(of: sample) != nil, let space = line.lastIndex(of: " "),
            let brace = line.firstIndex(of: "{"), let value = Self.number(line[line.index(after: space)...])
        else { throw HarnessError("not a sample: \(line)") }
        let name = String(line[..<brace])
        let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { name == family + $0 }) else {
            throw HarnessError("not of the family \(family): \(line)")
        }
        if types[family] == "counter", !family.hasSuffix("_total") { throw HarnessError("a counter's name: \(line)") }
        guard values.updateValue(value, forKey: String(line[..<space])) == nil else {
            throw HarnessError("a sample is there twice: \(line)")
        }
    }

    private static func number(_ text: Substring) -> Double? {
        guard text.wholeMatch(of: /[+-]?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|Inf)|NaN/) != nil else { return nil }
        return Double(text)
    }

    private func checkHistograms() throws {
        for family in types.filter({ $0.value == "histogram" }).keys {
            let buckets = values.compactMap { name, value -> (Double, Double)? in
                guard name.hasPrefix(family + "_bucket{"), let bound = name.firstMatch(of: /le="([^"]*)"/)?.1 else {
                    return nil
                }
                return Self.number(bound).map { ($0, value) }
            }.sorted { $0.0 < $1.0 }
            let count = values.first { $0.key.hasPrefix(family + "_count{") }?.value
            guard buckets.last?.0 == .infinity, buckets.last?.1 == count,
                zip(buckets, buckets.dropFirst()).allSatisfy({ $0.1 <= $1.1 })
            else { throw HarnessError("the buckets of \(family) do not add up: \(buckets)") }
        }
    }
}
