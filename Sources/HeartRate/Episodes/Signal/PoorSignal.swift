/// How many of a sensor's readings no heart can have, in this half minute and in the one before.
struct PoorSignal: Idling {
    private static let half: Int64 = 30_000_000
    private var began = noTime
    private var bad: UInt16 = 0
    private var good: UInt16 = 0
    private var formerBad: UInt16 = 0
    private var formerGood: UInt16 = 0
    private var kept = OutOfLine<TechnicalTrack>()

    private(set) var track: TechnicalTrack {
        get { kept.value }
        set { kept.value = newValue }
    }

    /// Whether there is nothing to remember: then good readings need not be counted.
    @inline(__always)
    var isIdle: Bool { began == noTime }

    /// Takes a reading that a heart can have.
    mutating func takeGood(at: Int64) -> EpisodeEvent? {
        let event = turn(at)
        if !isIdle, good < .max { good += 1 }
        return event
    }

    /// Takes a reading that no heart can have.
    ///
    /// - Parameter turns: the two rates in bpm that the readings have in turns, where that is the matter.
    mutating func takeBad(at: Int64, turns: (Int16, Int16)? = nil, _ rules: EpisodeRules) -> EpisodeEvent? {
        // It comes late.
        guard isIdle || at >= began else { return nil }
        let event = turn(at)
        if isIdle { began = at }
        if bad < .max { bad += 1 }
        if track.isOpen {
            track.goOn(at: at)
            return event
        }
        let (sum, all) = (Int(bad) + Int(formerBad), Int(bad) + Int(formerBad) + Int(good) + Int(formerGood))
        guard event == nil, sum >= rules.poorReadings, sum * rules.poorShare >= all else { return event }
        let since = formerBad > 0 ? began - Self.half : began
        let figure = turns.map { TechnicalTrack.figure(of: $0, $1) } ?? Int32(all - sum)
        return track.open(.poorSignal, since: since, at: at, readings: Int32(sum), figure: figure)
    }

    /// Begins the next half minute when it is time; a minute without bad readings is the end.
    private mutating func turn(_ at: Int64) -> EpisodeEvent? {
        guard !isIdle, at - began >= Self.half else { return nil }
        let isNext = at - began < Self.half * 2
        (formerBad, formerGood) = isNext ? (bad, good) : (0, 0)
        (bad, good) = (0, 0)
        began = isNext ? began + Self.half : at
        guard formerBad == 0, !track.isOpen || at - track.lastSeenAt >= Self.half * 2 else { return nil }
        let event = track.close(.poorSignal)
        self = PoorSignal()
        return event
    }

    /// For a clock that was set back, or a sensor that is not worn.
    mutating func restart() -> EpisodeEvent? {
        let event = track.close(.poorSignal)
        self = PoorSignal()
        return event
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.codeOptionalTime(&began, none: noTime)
        guard !isIdle else { return }
        coder.code(&bad, after: 0)
        coder.code(&good, after: 0)
        coder.code(&formerBad, after: 0)
        coder.code(&formerGood, after: 0)
        track.code(&coder)
    }
}
