/// When readings become an episode: every limit, delay and margin. The same for all customers but for `CustomerLimits`.
///
/// The sources:
/// - NEWS2: Royal College of Physicians, National Early Warning Score 2, 2017. The pulse scores 3 at 40 bpm or less and
///   at 131 or more, 2 at 111 to 130, 1 at 41 to 50 and at 91 to 110.
/// - Goerges, Markewitz and Westenskow, Anesthesia and Analgesia 108 (2009), 1546: a delay of 14 s would have removed
///   half of the alarms in an intensive care unit that nobody acted upon, one of 19 s two thirds.
/// - IEC 60601-1-8: the alarm priorities low, medium and high.
public struct EpisodeRules: Hashable, Sendable {
    /// Below this rate for `highDelay` a bradycardia is of high severity; `HEART_RATE_MIN`. 1 to 299 bpm, the default is 40.
    public var heartRateMin: Int16 = 40
    /// Above this rate for `highDelay` a tachycardia is of high severity; `HEART_RATE_MAX`. 1 to 299 bpm, the default
    /// is 180.
    public var heartRateMax: Int16 = 180
    /// The lowest NEWS2 score that opens an episode: 3 at medium severity, 2 (111 to 130 bpm) at low severity. 2 or 3, nil
    /// for none. The default is 3.
    public var lowestScore: Int? = 3

    /// How long a rate has to be beyond the limits before high severity is raised. 0 to 600 s, the default is 8.
    public var highDelay: Int = 8
    /// How long a rate has to be in NEWS2's band before low or medium severity is raised. 0 to 600 s, the default is 19,
    /// after Goerges 2009.
    public var scoreDelay: Int = 19
    /// How many readings a delay has at least, so that sparse data is not judged by one value. 1 to 7, the default is 3.
    public var delayReadings: Int = 3

    /// How far inside of a limit a rate has to come back. 0 to 50 bpm, the default is 5.
    public var margin: Int16 = 5
    /// How long it has to stay inside until an episode is over; one that comes back earlier goes on. 1 to 3600 s, the
    /// default is 120.
    public var closingTime: Int = 120
    /// How long it has to stay inside of `heartRateMin` and `heartRateMax` until high severity falls, and how long no
    /// reading may come until an episode of high severity is over. 1 to 3600 s, the default is 900: an effort around
    /// the limit raises at most four alarms in an hour.
    public var easingTime: Int = 900

    /// The robust rate is the median over this time. 1 to 60 s, the default is 10.
    public var window: Int = 10

    /// No reading for so many of the customer's usual steps is a signal loss. 2 to 100, the default is 5.
    public var silencePeriods: Int = 5
    /// A signal loss takes at least this long. 1 to 3600 s, the default is 5.
    public var silenceMinimum: Int = 5
    /// A signal loss so many times as long as its limit is of high severity. 2 to 100, the default is 6.
    public var urgentSilence: Int = 6

    /// How far the usual rate looks back; `BASELINE_HOURS`. 1 to 720 h, the default is 24.
    public var baselineHours: Int = 24
    /// How far from the usual rate a deviation is at least. 5 to 200 bpm, the default is 20.
    public var deviationMinimum: Int16 = 20
    /// How many usual spreads (mean absolute deviations) from the usual rate a deviation is at least. 1 to 20, the
    /// default is 4.
    public var deviationSpreads: Int = 4
    /// How long a deviation has to last, and half of that how long it has to be over. 1 to 60 min, the default is 30.
    public var deviationDelay: Int = 30

    /// How long readings wait for others that are late; `LATENESS_SECONDS`. 0 to 3600 s, the default is 0.
    public var latenessSeconds: Int = 0

    /// A jump of so much between two readings within `jumpTime` makes the second suspect. 1 to 299 bpm, the default is 30.
    public var jump: Int16 = 30
    /// See `jump`. 1 to 60 s, the default is 5.
    public var jumpTime: Int = 5
    /// The same rate for so long makes readings suspect: the sensor repeats itself. 1 to 1440 min, the default is 10.
    public var flatTime: Int = 10
    /// How many readings of the same rate there are then at least. 2 to 1000, the default is 60.
    public var flatReadings: Int = 60

    /// The defaults.
    public init() {}
}

/// The thresholds of one customer, instead of `EpisodeRules.heartRateMin` and `heartRateMax`.
///
/// An own minimum below 40 bpm also lowers the limit of medium severity: an athlete at 38 bpm is well.
public struct CustomerLimits: Hashable, Sendable {
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMin: Int16?
    /// In bpm, 1 to 299; nil for the rules'.
    public var heartRateMax: Int16?

    /// No own thresholds unless given.
    public init(heartRateMin: Int16? = nil, heartRateMax: Int16? = nil) {
        self.heartRateMin = heartRateMin
        self.heartRateMax = heartRateMax
    }
}

/// A robust rate in eighths of a bpm.
typealias Eighths = Int32

/// One direction's limits: a value is beyond one when it is greater. Values of bradycardia are negated rates, in eighths.
struct Ladder {
    /// Of low, medium and high severity; `.max` where there is none. Rising.
    var low = Eighths.max
    var medium = Eighths.max
    var high = Eighths.max
    /// The limit of opening and of high severity as people know them, in bpm.
    var limit: Int16 = 0
    var highLimit: Int16 = 0

    /// Below it nothing is beyond anything.
    var outermost: Eighths { min(low, medium, high) }

    /// The worst severity that the values are beyond.
    func severity(_ values: LadderValues) -> Severity? {
        if values.high > high { return .high }
        return values.usual > medium ? .medium : values.usual > low ? .low : nil
    }

    /// The next severity below one that has a limit.
    func severity(below severity: Severity) -> Severity? {
        if severity == .high, medium < .max { return .medium }
        return severity > .low && low < .max ? .low : nil
    }

    /// Whether nothing is beyond the limits of `severity` and above, by a margin.
    func isInside(_ values: LadderValues, of severity: Severity, by margin: Eighths) -> Bool {
        guard high == .max || values.high <= high - margin else { return false }
        guard severity < .high else { return true }
        let limit = severity == .medium ? medium : min(low, medium)
        return limit == .max || values.usual <= limit - margin
    }
}

/// What is compared with the limits: of one and the same moment, but high severity may look at it more strictly.
struct LadderValues {
    /// With the limits of low and medium severity.
    var usual: Eighths
    /// With that of high severity.
    var high: Eighths
}

extension EpisodeRules {
    /// The limits of bradycardia.
    @inline(__always)
    func slow(_ limits: CustomerLimits) -> Ladder {
        let own = limits.heartRateMin ?? heartRateMin
        var ladder = Ladder()
        ladder.high = Eighths(own) * -8
        ladder.highLimit = own
        ladder.limit = own
        guard lowestScore != nil else { return ladder }
        // An own minimum says what is usual for this heart; the rules' does not speak against NEWS2.
        let score = limits.heartRateMin.map { min($0, 40) } ?? 40
        let medium = Eighths(score) * -8 - 1
        guard medium < ladder.high else { return ladder }
        ladder.medium = medium
        ladder.limit = score
        return ladder
    }

    /// The limits of tachycardia.
    ///
    /// NEWS2 is made for people in bed. At rest and asleep a rate from 111 is medium; a walk of an untrained person
    /// reaches half of the heart rate reserve, some 150 bpm; in exercise no rate below the maximum is unusual.
    @inline(__always)
    func fast(_ limits: CustomerLimits, _ activity: Activity?) -> Ladder {
        let own = limits.heartRateMax ?? heartRateMax
        var ladder = Ladder()
        ladder.high = Eighths(own) * 8
        ladder.highLimit = own
        ladder.limit = own
        guard let lowestScore else { return ladder }
        let medium: Int16
        var low: Int16?
        switch activity {
        case .sleep, .rest: medium = 111
        case nil:
            medium = 131
            if lowestScore <= 2 { low = 111 }
        case .walk: medium = 151
        case .exercise: return ladder
        }
        guard Eighths(medium) * 8 - 1 < ladder.high else { return ladder }
        ladder.medium = Eighths(medium) * 8 - 1
        ladder.limit = medium - 1
        guard let low else { return ladder }
        ladder.low = Eighths(low) * 8 - 1
        ladder.limit = low - 1
        return ladder
    }
}
