/// The thresholds of one customer, instead of `EpisodeRules.heartRateMin` and `heartRateMax`.
///
/// An own threshold replaces NEWS2's band and the limit of rest on its side: an athlete at 38 bpm and an infant at 150 are
/// well.
public struct CustomerLimits: Hashable, Sendable {
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMin: Int16?
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMax: Int16?
    /// Limits of rest in bpm, 1 to 299; nil for the rules', or none where there is an own threshold.
    public var restMin: Int16?
    /// See `restMin`.
    public var restMax: Int16?
    /// Whether somebody relies on readings that never stop: then a signal loss becomes of high severity. The default is
    /// false.
    public var isContinuous: Bool

    /// No own thresholds unless given.
    public init(
        heartRateMin: Int16? = nil, heartRateMax: Int16? = nil, restMin: Int16? = nil, restMax: Int16? = nil,
        isContinuous: Bool = false
    ) {
        self.restMin = restMin
        self.restMax = restMax
        self.heartRateMin = heartRateMin
        self.heartRateMax = heartRateMax
        self.isContinuous = isContinuous
    }
}
