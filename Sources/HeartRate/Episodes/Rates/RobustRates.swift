/// A heart rate in eighths of a bpm.
typealias EighthsOfBPM = Int32

extension EighthsOfBPM {
    /// The nearest rate in bpm.
    @inline(__always)
    var bpm: Int16 { Int16(truncatingIfNeeded: (self + 4) >> 3) }
}

/// What is made of the readings of some seconds.
struct RobustRates {
    /// Half of the time was spent in slower beats.
    var median: EighthsOfBPM
    /// A quarter of the time was spent in slower beats; the median when there are too few readings for a quartile.
    var lowerQuartile: EighthsOfBPM
    /// What is compared with the limit of high severity of a tachycardia: the median of what is regular, the mean of beats
    /// that can be a heart's, and else less, since noise makes beats too many.
    var sustained: EighthsOfBPM
    /// The median when intervals at multiples of others count as several beats of which some were missed.
    var medianOfBeats: EighthsOfBPM
    /// Whether each reading is a beat.
    var isOfBeats: Bool
    /// Whether beats were missed, of two or more in a row and of one: a slow heart does not look so.
    var misses: Bool
}
