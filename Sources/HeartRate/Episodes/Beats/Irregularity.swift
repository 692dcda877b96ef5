/// For how much of the last hours a heart was irregular, where readings are beats: a figure for people, and no alarm. 16 bytes.
///
/// Each minute's beats are looked at once. It counts in halves of a night: this one and the one before.
struct Irregularity {
    private static let half: Int64 = 6 * 3_600_000_000
    /// As many minutes have to be known.
    private static let needed = 30

    private var began = noTime
    private var known: UInt16 = 0
    private var irregular: UInt16 = 0
    private var formerKnown: UInt16 = 0
    private var formerIrregular: UInt16 = 0

    /// Takes a minute.
    mutating func take(isIrregular: Bool, at: Int64) {
        if began == noTime || at < began || at - began >= Self.half {
            let isNext = began != noTime && at >= began && at - began < Self.half * 2
            (formerKnown, formerIrregular) = isNext ? (known, irregular) : (0, 0)
            (began, known, irregular) = (at, 0, 0)
        }
        if known < .max { known += 1 }
        if isIrregular, irregular < .max { irregular += 1 }
    }

    /// How many minutes were looked at.
    var minutes: Int { Int(known) + Int(formerKnown) }

    /// How many hundredths of them were irregular; nil when too few are known.
    var percent: Int? {
        minutes >= Self.needed ? (Int(irregular) + Int(formerIrregular)) * 100 / minutes : nil
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.codeOptionalTime(&began, none: noTime)
        guard began != noTime else { return }
        coder.code(&known, after: 0)
        coder.code(&irregular, after: 0)
        coder.code(&formerKnown, after: 0)
        coder.code(&formerIrregular, after: 0)
    }
}

extension RateWindow {
    /// Whether intervals differ from the next ones by more than a tenth of the mean, as in atrial fibrillation: the root of the
    /// mean square of the differences, a quarter of them left out for single extra beats (Dash 2009, Annals of Biomedical
    /// Engineering 37, 1701, has 0.1 of the mean, and leaves out outliers).
    var isIrregular: Bool {
        guard count >= Self.fewestForQuartile else { return false }
        var squares = InlineArray<32, Int64>(repeating: 0)
        var (sum, previous) = (Int64(0), Int64(0))
        for index in 0..<Int(count) {
            let interval = 60_000 / Int64(max(rate(index), 1))
            sum += interval
            if index > 0 {
                let square = (interval - previous) * (interval - previous)
                var place = index - 1
                while place > 0, squares[place - 1] > square {
                    squares[place] = squares[place - 1]
                    place -= 1
                }
                squares[place] = square
            }
            previous = interval
        }
        let kept = (Int(count) - 1) - (Int(count) - 1) / 4
        var total: Int64 = 0
        for index in 0..<kept { total += squares[index] }
        let mean = sum / Int64(count)
        return total * 100 > mean * mean * Int64(kept)
    }
}
