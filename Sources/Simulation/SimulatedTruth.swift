public import HeartRate

/// What really was the matter with a simulated customer for a while, for a detector's findings to be compared with.
public struct TrueEpisode: Hashable, Sendable {
    /// What was the matter.
    public enum Kind: String, CaseIterable, Sendable {
        /// The heart beat below 40 bpm.
        case bradycardia
        /// The heart beat above 180 bpm.
        case tachycardia
        /// It beat at 131 bpm or more although it was well: effort.
        case elevated
        /// The sensor was silent.
        case signalLoss = "signal loss"
    }

    /// What was the matter.
    public let kind: Kind
    /// The first sample that was so; of a signal loss the last reading before.
    public let began: Instant
    /// The last sample that was so; of a signal loss the first reading after.
    public let ended: Instant
}

/// Notes one simulated customer's episodes as they end; 160 bytes.
///
/// Bradycardia, tachycardia and elevated rates are the heart's own, whatever the sensor makes of them. A spell of
/// bradycardia or tachycardia is one episode, although the rate sways at its edges. Elevated rates come from effort: what
/// is less than a minute apart is one, and a spell and the half minute after it do not count.
public struct SimulatedTruth: Sendable {
    /// The lowest rate of the highest band of the National Early Warning Score 2 (Royal College of Physicians 2017),
    /// in bpm.
    private static let elevatedRate: Int16 = 131

    private var bradycardia = Run(kind: .bradycardia, pause: 30)
    private var tachycardia = Run(kind: .tachycardia, pause: 30)
    private var elevated = Run(kind: .elevated, pause: 60)
    private var lastReading: Instant?
    private var isSilent = false

    /// The truth about a customer of whom nothing is known yet.
    public init() {}

    /// Takes the heart's next sample and what goes wrong with its message; tells the episodes that turn out to be over.
    public mutating func take(
        _ sample: SimulatedHeart.Sample, fault: SimulatedFault?, at now: Instant, _ isOver: (TrueEpisode) -> Void
    ) {
        let anomaly = AnomalyRule().judge(sample.bpm)?.kind
        bradycardia.take(anomaly == .bradycardia, at: now, isOver)
        tachycardia.take(anomaly == .tachycardia, at: now, isOver)
        let isWell = sample.spell == nil && !bradycardia.isOpen && !tachycardia.isOpen
        elevated.take(isWell && sample.bpm >= Self.elevatedRate, at: now, isOver)
        take(fault, at: now, isOver)
    }

    /// Tells the episodes that go on when the simulation ends. A silence without an end is none.
    public mutating func finish(_ isOver: (TrueEpisode) -> Void) {
        bradycardia.finish(isOver)
        tachycardia.finish(isOver)
        elevated.finish(isOver)
    }

    private mutating func take(_ fault: SimulatedFault?, at now: Instant, _ isOver: (TrueEpisode) -> Void) {
        switch fault {
        case .silent: isSilent = true
        // Something came, but no reading.
        case .malformed: break
        case .late, nil:
            if isSilent, let lastReading { isOver(TrueEpisode(kind: .signalLoss, began: lastReading, ended: now)) }
            isSilent = false
            lastReading = now
        }
    }
}

/// The samples of which something is true, until it is not for a while.
private struct Run: Sendable {
    let kind: TrueEpisode.Kind
    /// How many seconds without such a sample end it, at the second one at the earliest.
    let pause: Int64

    private var began: Instant?
    private var last = Instant.earliest
    private var wasTrue = false

    init(kind: TrueEpisode.Kind, pause: Int64) {
        self.kind = kind
        self.pause = pause
    }

    var isOpen: Bool { began != nil }

    mutating func take(_ isTrue: Bool, at now: Instant, _ isOver: (TrueEpisode) -> Void) {
        if !wasTrue, now >= last.advanced(byMicroseconds: pause * 1_000_000) { finish(isOver) }
        if isTrue {
            began = began ?? now
            last = now
        }
        wasTrue = isTrue
    }

    mutating func finish(_ isOver: (TrueEpisode) -> Void) {
        if let began { isOver(TrueEpisode(kind: kind, began: began, ended: last)) }
        began = nil
    }
}
