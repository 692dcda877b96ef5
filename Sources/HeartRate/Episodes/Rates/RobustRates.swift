/// A heart rate in eighths of a bpm.
typealias EighthsOfBPM = Int32

/// What is made of the readings of some seconds.
struct RobustRates {
    /// Half of the time was spent in slower beats.
    var median: EighthsOfBPM
    /// A quarter of the time was spent in slower beats; the median when there are too few readings for a quartile.
    var lowerQuartile: EighthsOfBPM
    /// The mean, by time.
    var mean: EighthsOfBPM
    /// The median when intervals at multiples of others count as several beats of which some were missed.
    var medianOfBeats: EighthsOfBPM
    /// Whether most readings are like their neighbours.
    var isRegular: Bool
    /// Whether nearly all are beats that could be a heart's: each is as long as its rate says, so that none was rejected
    /// between them, and none is twice as fast as its neighbour.
    var isPlausible: Bool
    /// Whether beats were missed, of two or more in a row and of one: a slow heart does not look so.
    var misses: Bool
}
