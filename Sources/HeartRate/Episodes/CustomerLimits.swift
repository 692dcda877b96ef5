/// The thresholds of one customer, instead of `EpisodeRules.heartRateMin` and `heartRateMax`.
///
/// An own minimum below 40 bpm also lowers the limit of medium severity: an athlete at 38 bpm is well.
public struct CustomerLimits: Hashable, Sendable {
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMin: Int16?
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMax: Int16?
    /// Whether somebody relies on readings that never stop: then a signal loss becomes of high severity. The default is
    /// false.
    public var isContinuous: Bool

    /// No own thresholds unless given.
    public init(heartRateMin: Int16? = nil, heartRateMax: Int16? = nil, isContinuous: Bool = false) {
        self.heartRateMin = heartRateMin
        self.heartRateMax = heartRateMax
        self.isContinuous = isContinuous
    }
}
