/// Whether a slow rate is sleep: the heart has slowed down little by little. 5 bytes.
///
/// The rates of healthy people asleep are as low as 33 bpm (Brodsky 1977, American Journal of Cardiology 39, 390), and
/// 30 bpm is normal for an athlete (International Criteria, Sharma 2017). A heart that drops within a minute is not asleep.
struct Sleep {
    /// What the rate has sunk from, in eighths of a bpm: it follows a rise at once, and a fall by `EpisodeRules.settling` in a
    /// minute.
    private var roof: Int16 = 0
    /// From what it dropped, in eighths of a bpm.
    private var dropped: Int16 = 0
    /// Whether it sank slowly to where it is.
    private(set) var isSettled = true

    /// Takes a minute's rate.
    mutating func take(_ rate: EighthsOfBPM, after gap: Microseconds, _ rules: EpisodeRules) {
        let fall = Int64(rules.settling) * 8 * min(gap, .hours(24)).count / 60_000_000
        roof = Int16(clamping: max(Int64(rate), roof == 0 ? Int64(rate) : Int64(roof) - fall))
        let isNear = EighthsOfBPM(roof) - rate <= reach(rules)
        // Once it has dropped, only a usual rate lets it settle again, or the one from which it dropped.
        if !isNear {
            if isSettled { dropped = roof }
            isSettled = false
        } else if rate > min(EighthsOfBPM(rules.restMin + rules.margin) * 8, EighthsOfBPM(dropped - rules.margin * 8)) {
            isSettled = true
        }
    }

    /// Whether a rate, between two minutes, is where the rate sank slowly.
    func isSettled(at rate: Int16, _ rules: EpisodeRules) -> Bool {
        isSettled && Int32(roof) - Int32(rate) * 8 <= reach(rules) + Int32(rules.settling) * 8
    }

    /// How much faster than settling the rate may sink for a while, in eighths of a bpm: of a slow heart less.
    private func reach(_ rules: EpisodeRules) -> EighthsOfBPM {
        min(EighthsOfBPM(rules.settlingReach) * 8, EighthsOfBPM(roof) / 6)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&roof, after: 0)
        coder.code(&isSettled)
        if !isSettled { coder.code(&dropped, after: 0) }
    }
}
