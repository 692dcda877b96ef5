internal import Daemon

/// All that the doctor has found, for a person or for a program.
public struct Diagnosis: Codable, Sendable {
    /// The worst of the verdicts.
    public let verdict: Check.Verdict
    /// In the order of the areas.
    public let checks: [Check]

    init(_ checks: [Check]) {
        self.checks = checks
        verdict = checks.map(\.verdict).filter { $0 != .skipped }.max() ?? .ok
    }

    /// The status for scripts: 0 for nothing to do, 1 for warnings, 2 for errors.
    public var status: Int32 {
        switch verdict {
        case .ok, .skipped: 0
        case .warning: 1
        case .error: 2
        }
    }

    /// For people: a line for each check, the remedy below it, and the sum.
    ///
    /// - Parameters:
    ///   - isBrief: whether only what a person should do something about is listed.
    ///   - isColoured: whether the verdict's word has a colour, too.
    public func text(isBrief: Bool = false, isColoured: Bool = false) -> String {
        let shown = isBrief ? checks.filter { $0.verdict >= .warning } : checks
        let width = shown.map(\.name.count).max() ?? 0
        var lines = shown.flatMap { check -> [String] in
            let word = Self.padded(check.verdict.rawValue, to: 7)
            let first =
                (isColoured ? Self.coloured(word, check.verdict) : word) + "  " + Self.padded(check.name, to: width)
                + "  " + check.text
            return [first] + (check.remedy.map { [Self.padded("", to: 7) + "  -> " + $0] } ?? [])
        }
        func count(_ verdict: Check.Verdict, _ word: String) -> String? {
            let count = checks.count { $0.verdict == verdict }
            return count == 0 ? nil : "\(count) \(word)\(count == 1 ? "" : "s")"
        }
        let sums = [count(.error, "error"), count(.warning, "warning")].compactMap(\.self)
        if !isBrief || !shown.isEmpty {
            lines.append(sums.isEmpty ? "nothing is wrong" : sums.joined(separator: ", "))
        }
        return lines.joined(separator: "\n")
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func coloured(_ text: String, _ verdict: Check.Verdict) -> String {
        switch verdict {
        case .ok: Terminal.coloured(text, .green)
        case .skipped: text
        case .warning: Terminal.coloured(text, .yellow)
        case .error: Terminal.coloured(text, .red)
        }
    }
}
