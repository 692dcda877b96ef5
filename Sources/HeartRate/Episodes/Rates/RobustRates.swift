/// A heart rate in eighths of a bpm.
typealias EighthsOfBPM = Int32

/// What is made of the readings of some seconds.
struct RobustRates {
    /// Half of the time was spent in slower beats.
    var median: EighthsOfBPM
    /// A quarter of the time was spent in slower beats; the median when there are too few readings for a quartile.
    var lowerQuartile: EighthsOfBPM
    /// Whether most readings are like their neighbours.
    var isRegular: Bool
}
