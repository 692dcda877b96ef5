/// A customer's usual rate and spread, learned by time and not by the number of readings. 46 bytes.
///
/// All are running means that give way by a limited step, so that an hour of exercise moves them little: the usual rate
/// follows what is most frequent, as a median does. Days differ from nights, so there is one for each four hours of the
/// day, in UTC. Between the lowest and the highest of them nothing is unusual: who has flown sleeps at another hour.
struct Baseline {
    private static let parts = 6
    /// Minutes after which a part of the day is known.
    private static let partNeeded = 60
    /// Minutes over which a part of the day is learned: three days'.
    private static let partWindow: UInt16 = 720

    /// In 1/65,536 bpm.
    private var usual: Int32 = 0
    /// The mean absolute deviation, in 1/65,536 bpm.
    private var spread: Int32 = 0
    /// Of each part of the day, in 1/65,536 bpm.
    private var partUsual = InlineArray<6, Int32>(repeating: 0)
    private var partLearned = InlineArray<6, UInt16>(repeating: 0)
    /// Minutes, at most the window's.
    private var learned: UInt16 = 0

    /// The lowest and the highest of the day's usual rates, in 1/65,536 bpm.
    private var range: ClosedRange<Int32> {
        var (low, high) = (Int32.max, Int32.min)
        for part in 0..<Self.parts where Int(partLearned[part]) >= Self.partNeeded {
            low = min(low, partUsual[part])
            high = max(high, partUsual[part])
        }
        return low <= high ? min(low, usual)...max(high, usual) : usual...usual
    }

    /// The lowest and the highest of the day's usual rates in bpm, and of how many minutes they are made.
    var lowestRate: Int32 { range.lowerBound >> 16 }
    var highestRate: Int32 { range.upperBound >> 16 }
    var minutes: UInt16 { learned }

    /// The usual rate of the whole day in bpm, rounded; 0 when nothing is known.
    var usualRate: Int16 { Int16(truncatingIfNeeded: (usual + 32_768) >> 16) }

    /// The usual rate that is nearest to a rate, in bpm, rounded.
    func usualRate(near rate: EighthsOfBPM) -> Int16 {
        let range = range
        let value = min(max(rate << 13, range.lowerBound), range.upperBound)
        return Int16(truncatingIfNeeded: (value + 32_768) >> 16)
    }

    /// Whether half of the window is known.
    func isKnown(_ rules: EpisodeRules) -> Bool { Int(learned) * 2 >= rules.baselineWindow.minutes }

    /// How far from the usual rate is still usual, in eighths.
    func reach(_ rules: EpisodeRules) -> EighthsOfBPM {
        max(EighthsOfBPM(rules.deviationMinimum) * 8, (spread >> 13) * EighthsOfBPM(rules.deviationSpreads))
    }

    /// How far a rate is from the usual ones, in eighths.
    func distance(_ rate: EighthsOfBPM) -> EighthsOfBPM {
        let range = range
        return max(0, rate - (range.upperBound >> 13), (range.lowerBound >> 13) - rate)
    }

    /// How far a rate is above the usual ones, in eighths.
    func excess(_ rate: EighthsOfBPM) -> EighthsOfBPM { max(0, rate - (range.upperBound >> 13)) }

    /// Takes a rate that stands for some minutes, 1 to 15.
    mutating func learn(_ rate: EighthsOfBPM, at: Int64, minutes: Int32, _ rules: EpisodeRules) {
        let value = rate << 13
        if learned == 0 { usual = value }
        let window = UInt16(clamping: max(rules.baselineWindow.minutes, 60))
        learned = UInt16(min(Int32(learned) + minutes, Int32(window)))
        // At first wide, so that a start in exercise is forgotten.
        let step = max(spread * 2, 5 << 16)
        usual += Self.step(value - usual, atMost: step, minutes, of: learned)

        let part = Int(((at / 14_400_000_000) % 6 + 6) % 6)
        if partLearned[part] == 0 { partUsual[part] = usual }
        partLearned[part] = UInt16(min(Int32(partLearned[part]) + minutes, Int32(Self.partWindow)))
        partUsual[part] += Self.step(
            value - partUsual[part], atMost: step, minutes, of: max(partLearned[part], 30))
        let difference = abs(value - partUsual[part])
        spread += Self.step(
            min(difference, max(spread * 4, 20 << 16)) - spread, atMost: .max, minutes, of: learned)
    }

    /// How far a running mean moves.
    private static func step(_ difference: Int32, atMost most: Int32, _ minutes: Int32, of learned: UInt16) -> Int32 {
        let limited = min(max(Int64(difference), -Int64(most)), Int64(most))
        return Int32(limited * Int64(min(minutes, Int32(learned))) / Int64(learned))
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&learned, after: 0)
        coder.code(&usual, in: 0...(300 << 16))
        coder.code(&spread, in: 0...(300 << 16))
        for part in 0..<Self.parts {
            coder.code(&partLearned[part], after: 0)
            coder.code(&partUsual[part], in: 0...(300 << 16))
        }
    }
}
