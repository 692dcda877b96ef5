/// A customer's usual rate and spread, learned minute by minute. 16 bytes.
///
/// Both are running means that give way by a limited step, so that an hour of exercise moves them little: the usual rate
/// follows what is most frequent, as a median does.
struct Baseline {
    /// In 1/65,536 bpm.
    private var usual: Int32 = 0
    /// The mean absolute deviation, in 1/65,536 bpm.
    private var spread: Int32 = 0
    /// Minutes, at most the window's.
    private var learned: UInt16 = 0

    /// In bpm, rounded.
    var usualRate: Int16 { Int16(truncatingIfNeeded: (usual + 32_768) >> 16) }

    /// Whether half of the window is known.
    func isKnown(_ rules: EpisodeRules) -> Bool { Int(learned) * 2 >= rules.baselineWindow.minutes }

    /// How far from the usual rate is still usual, in eighths.
    func reach(_ rules: EpisodeRules) -> EighthsOfBPM {
        max(EighthsOfBPM(rules.deviationMinimum) * 8, (spread >> 13) * EighthsOfBPM(rules.deviationSpreads))
    }

    /// How far a rate is from the usual one, in eighths.
    func distance(_ rate: EighthsOfBPM) -> EighthsOfBPM { abs(rate - (usual >> 13)) }

    /// Takes a minute's rate.
    mutating func learn(_ rate: EighthsOfBPM, _ rules: EpisodeRules) {
        let value = rate << 13
        if learned == 0 { usual = value }
        let window = UInt16(clamping: max(rules.baselineWindow.minutes, 60))
        learned = min(learned + (learned < .max ? 1 : 0), window)
        let difference = value - usual
        // At first wide, so that a start in exercise is forgotten.
        let step = max(spread * 2, 5 << 16)
        usual += min(max(difference, -step), step) / Int32(learned)
        spread += (min(abs(difference), max(spread * 4, 20 << 16)) - spread) / Int32(learned)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&learned, after: 0)
        coder.code(&usual, in: 0...(300 << 16))
        coder.code(&spread, in: 0...(300 << 16))
    }
}
