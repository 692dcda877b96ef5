extension Detector {
    /// The lowest and the highest of the customer's usual rates in the course of a day, in bpm; nil while nothing is learned.
    public var usualRates: ClosedRange<Int>? {
        baseline.minutes == 0
            ? nil : Int(baseline.lowestRate)...max(Int(baseline.lowestRate), Int(baseline.highestRate))
    }

    /// What the state says, as names and values in the order of the checkpoint, for people to read.
    ///
    /// A checkpoint begins with the version of its form, a byte, and ends with its FNV-1a checksum, four bytes, the lowest
    /// first. Between them are whole numbers: each a difference from something near (times: from the last reading's),
    /// zigzag, seven bits a byte, the lowest first, with the eighth bit set where another byte follows.
    public var summary: [(name: String, value: String)] {
        func time(_ at: Int64) -> String {
            at == noTime ? "never" : Instant(microsecondsSince1970: at).iso8601
        }
        func bpm(_ eighths: EighthsOfBPM?) -> String { eighths.map { "\($0.bpm) bpm" } ?? "not known" }
        var summary = [
            ("last reading", lastAt == noTime ? "none" : "\(lastRate) bpm at \(time(lastAt))"),
            ("usual step", period.milliseconds.map { "\($0) ms" } ?? "not known"),
            ("readings are beats", runs.areBeats ? "yes" : "no"),
            ("usual interval of beats", runs.usual > 0 ? "\(runs.usual) ms" : "not known"),
            ("beats were missed", time(runs.missedAt)),
            ("irregular", irregularPart.map { "\($0.percent) % of \($0.minutes) min" } ?? "not known"),
            ("usual rates", baseline.text),
            ("resting rate of the nights", bpm(trend.nights.usual(least: 1)) + ", \(trend.nights.count) nights"),
            ("beyond a limit of rest", restingFast.isSustained || restingSlow.isSustained ? "for long" : "no"),
            ("slow rate", sleep.isSettled ? "sank little by little" : "dropped"),
            ("waiting for late ones", "\(pending.count) readings"),
        ]
        openEpisodes {
            summary.append(("open \($0.kind.name)", "\($0.severity.name), since \($0.openedAt.iso8601): \($0.reason)"))
        }
        return summary
    }
}

extension Detector {
    /// For how many hundredths of the last hours the heart was irregular, and how many minutes of beats that is said of; nil
    /// where readings are no beats, or too few are known.
    public var irregularPart: (percent: Int, minutes: Int)? {
        irregularity.percent.map { ($0, irregularity.minutes) }
    }
}

extension Baseline {
    /// The usual rates of the day, for people to read.
    fileprivate var text: String {
        let rates = (Int(lowestRate), Int(highestRate))
        return minutes == 0 ? "not known" : "\(rates.0) to \(rates.1) bpm, from \(minutes) min"
    }
}
