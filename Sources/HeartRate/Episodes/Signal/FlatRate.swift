/// How long a customer's rate has been the same: a heart's never is for long, but a pacemaker's is, and a sensor's that
/// repeats itself. 17 bytes.
struct FlatRate {
    /// Pacemakers are set to a base rate in steps of 5 bpm.
    private static let pacedRates: ClosedRange<Int16> = 50...90
    private static let pacedStep: Int16 = 5
    /// After as many changes of the rate it is known to vary.
    private static let changesOfHeart: UInt8 = 20

    private var kept = OutOfLine<TechnicalTrack>()
    /// For how many microseconds the rate has been the same, in how many readings.
    private var lasted: UInt32 = 0
    private var count: UInt16 = 1
    /// The base rate of a pacemaker, by what was seen; 0 when it is not known.
    private var paced: Int16 = 0
    private var changes: UInt8 = 0

    private(set) var track: TechnicalTrack {
        get { kept.value }
        set { kept.value = newValue }
    }

    /// Takes the next reading.
    ///
    /// - Parameter isApart: whether it comes after so long that the rate may have been another one meanwhile.
    mutating func take(
        _ sample: Sample, after last: Int16, gap: Microseconds, isApart: Bool, _ rules: EpisodeRules
    ) -> EpisodeEvent? {
        let (rate, at) = (sample.rate, sample.at)
        guard rate == last, !isApart else { return change(to: rate, from: last, isApart: isApart, rules) }
        lasted = UInt32(clamping: Int64(lasted) + gap.count)
        if count < .max { count += 1 }
        guard !track.isOpen else {
            track.goOn(at: at)
            return nil
        }
        guard isLong(rules), !isPaced(rate) else { return nil }
        return track.open(.sensorStuck, since: at - Int64(lasted), at: at, readings: Int32(count), figure: Int32(rate))
    }

    private mutating func change(
        to rate: Int16, from last: Int16, isApart: Bool, _ rules: EpisodeRules
    ) -> EpisodeEvent? {
        // A pacemaker's rate gives way to the heart's own, which is a little faster.
        if isLong(rules), canBePaced(last), !isApart, rate > last, rate - last <= Self.pacedStep { paced = last }
        if rate != last, changes < Self.changesOfHeart { changes += 1 }
        (lasted, count) = (0, 1)
        return track.close(.sensorStuck)
    }

    private func isLong(_ rules: EpisodeRules) -> Bool {
        Int(count) >= rules.flatReadings && Int64(lasted) >= rules.flatTime.count
    }

    private func canBePaced(_ rate: Int16) -> Bool { rate % Self.pacedStep == 0 && Self.pacedRates.contains(rate) }

    private func isPaced(_ rate: Int16) -> Bool {
        canBePaced(rate) && (rate == paced || changes < Self.changesOfHeart)
    }

    /// For a clock that was set back.
    mutating func restart() -> EpisodeEvent? {
        (lasted, count) = (0, 1)
        return track.close(.sensorStuck)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&lasted, after: 0)
        coder.code(&count, after: 0)
        coder.code(&changes, in: 0...Self.changesOfHeart)
        coder.code(&paced, after: 0)
        track.code(&coder)
    }
}
