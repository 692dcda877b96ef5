/// The limits of one kind of episode: a value is beyond one when it is greater.
///
/// Values are in eighths of a bpm. Those of bradycardia are negated rates.
struct SeverityLimits {
    /// What is compared with the limits: of one and the same moment, but high severity may look at it more strictly.
    struct Values {
        /// Compared with the limits of low and medium severity.
        var usual: EighthsOfBPM
        /// Compared with that of high severity.
        var high: EighthsOfBPM
    }

    /// Of low, medium and high severity; `.max` where there is none. Rising.
    var low = EighthsOfBPM.max
    var medium = EighthsOfBPM.max
    var high = EighthsOfBPM.max
    /// The limit of opening and of high severity as people know them, in bpm.
    var opening: Int16 = 0
    var urgent: Int16 = 0

    /// Takes a limit of rest as that of medium severity, if it is the stricter one.
    mutating func tighten(to limit: EighthsOfBPM, bpm: Int16) {
        guard limit < min(medium, high) else { return }
        medium = limit
        opening = bpm
    }

    /// Below it nothing is beyond anything.
    var outermost: EighthsOfBPM { min(low, medium, high) }

    /// The worst severity that the values are beyond.
    func severity(_ values: Values) -> Severity? {
        if values.high > high { return .high }
        return values.usual > medium ? .medium : values.usual > low ? .low : nil
    }

    /// The next severity below one that has a limit.
    func severity(below severity: Severity) -> Severity? {
        if severity == .high, medium < .max { return .medium }
        return severity > .low && low < .max ? .low : nil
    }

    /// Whether nothing is beyond the limits of `severity` and above, by a margin.
    func isInside(_ values: Values, of severity: Severity, by margin: EighthsOfBPM) -> Bool {
        guard high == .max || values.high <= high - margin else { return false }
        guard severity < .high else { return true }
        let limit = severity == .medium ? medium : min(low, medium)
        return limit == .max || values.usual <= limit - margin
    }
}
