/// When readings become an episode: every limit, delay and margin. The same for all customers except for `CustomerLimits`.
///
/// The sources:
/// - NEWS2: Royal College of Physicians, National Early Warning Score 2, 2017. The pulse scores 3 at 40 bpm or less and
///   at 131 or more, 2 at 111 to 130, 1 at 41 to 50 and at 91 to 110.
/// - Goerges, Markewitz and Westenskow, Anesthesia and Analgesia 108 (2009), 1546: a delay of 14 s would have removed
///   half of the alarms in an intensive care unit that nobody acted upon, one of 19 s two thirds.
/// - IEC 60601-1-8: the alarm priorities low, medium and high, and technical alarm conditions apart from those of patients.
/// - Nightscout: its defaults for stale data, a warning after 15 min and urgent after 30 min.
/// - Where nothing is named, the number is our own choice.
///
/// Compared with the sources' own text or with a copy of it: NEWS2's bands, Goerges 2009, Apple's ten minutes and choices,
/// NightSignal, Nightscout, Sharma 2017, Dash 2009. Their text was not at hand for: IEC 60601-1-8 and -2-27, PhysioNet's
/// challenge of 2015, Cole 1999, Brodsky 1977, and the centiles in `limit_profiles`.
public struct EpisodeRules: Hashable, Sendable {
    /// Below this rate for `highDelay` a bradycardia is of high severity; `HEART_RATE_MIN`. 1 to 299 bpm, the default is 40.
    public var heartRateMin: Int16 = 40
    /// Above this rate for `highDelay` a tachycardia is of high severity; `HEART_RATE_MAX`. 1 to 299 bpm, the default
    /// is 180.
    public var heartRateMax: Int16 = 180
    /// The lowest NEWS2 score that opens an episode: 3 at medium severity, 2 (111 to 130 bpm) at low severity. 2 or 3, nil
    /// for none. The default is 3.
    public var lowestScore: Int? = 3

    /// How long a rate has to be beyond the limits before high severity is raised. 0 to 600 s, the default is 8 s.
    public var highDelay: Microseconds = .seconds(8)
    /// How long a rate has to be in NEWS2's band before low or medium severity is raised. 0 to 600 s, the default is 19 s,
    /// after Goerges 2009.
    public var scoreDelay: Microseconds = .seconds(19)
    /// How many readings a delay has at least, so that sparse data is not judged by one value. 1 to 7, the default is 3.
    public var delayReadings: Int = 3

    /// How far inside of a limit a rate has to come back. 0 to 50 bpm, the default is 5.
    public var margin: Int16 = 5
    /// How long it has to stay inside until an episode is over; one that comes back earlier goes on. 1 to 3600 s, the
    /// default is 120 s.
    public var closingTime: Microseconds = .seconds(120)
    /// How long it has to stay inside of `heartRateMin` and `heartRateMax` until high severity falls, and how long no
    /// reading may come until an episode of high severity is over. 1 to 3600 s, the default is 900 s: an effort around
    /// the limit raises at most four alarms in an hour.
    public var easingTime: Microseconds = .seconds(900)

    /// Above this rate for `restDelay` without effort a tachycardia is of medium severity and told; Apple's heart-rate
    /// notifications have 120 and 40 bpm for ten minutes of inactivity (support HT208931). 1 to 299 bpm, the default is 120.
    public var restMax: Int16 = 120
    /// Below this rate for `restDelay` a bradycardia is of medium severity and told. 1 to 299 bpm, the default is 45: NEWS2
    /// scores 41 to 50.
    public var restMin: Int16 = 45
    /// See `restMax`. 1 to 120 min, the default is 10 min.
    public var restDelay: Microseconds = .minutes(10)
    /// How long after exercise a fast rate is still its; half of it after a walk. The heart slows down by 12 bpm and
    /// more in the first minute (Cole 1999, New England Journal of Medicine 341, 1351) and is back after some minutes. 0 to
    /// 60 min, the default is 10 min.
    public var recovery: Microseconds = .minutes(10)
    /// How long after a walk a rate is still its. 0 to 60 min, the default is 5 min.
    public var recoveryFromWalk: Microseconds = .minutes(5)
    /// A rise that is taken for effort when nobody tells the activity. 10 to 100 bpm, the default is 30.
    public var effortRise: Int16 = 30
    /// Within this time. 1 to 60 min, the default is 5 min.
    public var effortRiseTime: Microseconds = .minutes(5)
    /// How long a fast rate is taken for effort when nobody tells the activity. 10 to 600 min, the default is 60 min.
    public var longestEffort: Microseconds = .minutes(60)

    /// The lowest rate that is usual in sleep: see `Sleep`. 1 to 299 bpm, the default is 30.
    public var sleepMin: Int16 = 30
    /// How far below the usual resting rate of the nights a rate is still theirs. 1 to 50 bpm, the default is 8.
    public var sleepReach: Int16 = 8
    /// How many nights have to be known for that. 1 to 7, the default is 2.
    public var sleepNights: Int = 2
    /// How fast a heart slows down that falls asleep, in bpm a minute, and how much faster for a while, in bpm, at most a
    /// sixth of its rate. The defaults are 3 and 12: choices; a block of the heart drops by as much within a beat.
    public var settling: Int16 = 3
    /// See `settling`.
    public var settlingReach: Int16 = 12

    /// How far below the usual rate one is likely to be sleep before nights are known. 1 to 50 bpm, the default is 25: a choice.
    public var sleepDip: Int16 = 25
    /// How many minutes have to be known for that. 1 to 720, the default is 20: a choice.
    public var firstSleepMinutes: UInt16 = 20
    /// How long that is sleep. 1 to 24 h, the default is 12 h: a choice.
    public var longestSleep: Microseconds = .hours(12)

    /// A rise at rest within six hours that is a trend. 5 to 100 bpm, the default is 15: NEWS2's bands are 20 wide.
    public var trendRise: Int16 = 15
    /// By how much the resting rate of a night is above the usual one to be a trend, and for how many nights in a row:
    /// NightSignal (Alavi 2021, Nature Medicine 28, 175). 1 to 50 bpm, the default is 4.
    public var nightRise: Int16 = 4
    /// See `nightRise`. 1 to 7, the default is 2.
    public var trendNights: UInt8 = 2

    /// How many beats in a row beyond a limit leave at least a record: PhysioNet's challenge of 2015 counts five ventricular
    /// beats as a tachycardia, and five beats below 40 bpm as extreme bradycardia. 2 to 100, the default is 5.
    public var runBeats: UInt8 = 5
    /// How many beats in a row above `runRate` are of medium severity: extreme tachycardia in the same challenge. 2 to 255,
    /// the default is 17.
    public var quickBeats: UInt8 = 17
    /// See `quickBeats`. 1 to 299 bpm, the default is 140.
    public var runRate: Int16 = 140
    /// A pause between two beats that is of medium severity: asystole in the same challenge. 1 to 20 s, the default is 4 s.
    public var pause: Microseconds = .seconds(4)

    /// The robust rate is the median over this time. 1 to 60 s, the default is 10 s.
    public var window: Microseconds = .seconds(10)

    /// How many of the customer's usual steps without a reading are a signal loss. 2 to 100, the default is 5.
    public var silencePeriods: Int = 5
    /// The shortest signal loss. 1 to 3600 s, the default is 5 s.
    public var silenceMinimum: Microseconds = .seconds(5)
    /// The same of a device whose usual step is at least `sparsePeriod`. 1 to 60 min, the default is 15 min: then
    /// Nightscout warns of stale data.
    public var silenceSparse: Microseconds = .minutes(15)
    /// From this step on nobody is watched from moment to moment. 1 to 3600 s, the default is 30 s.
    public var sparsePeriod: Microseconds = .seconds(30)
    /// The same as long as a customer's steps are not known. 1 to 60 min, the default is 10 min.
    public var silenceUnknown: Microseconds = .minutes(10)
    /// How many times as long as its limit a signal loss is of high severity, if it is of somebody who is watched
    /// continuously or whose last rate was beyond the limits. 2 to 100, the default is 6.
    public var urgentSilence: Int = 6
    /// After this time without a heart rate a sensor is not worn. 10 to 1440 min, the default is 30 min: then Nightscout
    /// calls stale data urgent, and no step between two readings of a device in use is longer.
    public var notWorn: Microseconds = .minutes(30)
    /// The shortest signal loss where readings are beats. 1 to 60 s, the default is 10 s, within which IEC 60601-2-27 wants an
    /// alarm for asystole; a shorter one may be a pause, which the next beat tells.
    public var beatSilence: Microseconds = .seconds(10)
    /// How many of a customer's usual steps a gap counts for at most, when it lies between readings beyond a limit. 1 to
    /// 100, the default is 3: what the delay asks of readings.
    public var countedPeriods: Int = 3

    /// A clock that was set back by less than this has soon caught up. 1 to 600 s, the default is 30 s.
    public var clockStep: Microseconds = .seconds(30)
    /// How many readings in a row have to go on from an earlier time until the clock was set back. 2 to 100, the default is
    /// 5: of readings in random order within two minutes, one a second, one in 300,000 is the last of such a row.
    public var clockReadings: Int = 5

    /// How many readings that no heart can have, within a minute, are a poor signal. 1 to 1000, the default is 5.
    public var poorReadings: Int = 5
    /// One in how many that has to be at least. 1 to 100, the default is 5.
    public var poorShare: Int = 5

    /// How far the usual rate looks back; `BASELINE_HOURS`. 1 to 720 h, the default is 24 h.
    public var baselineWindow: Microseconds = .hours(24)
    /// How far from the usual rate a deviation is at least. 5 to 200 bpm, the default is 20.
    public var deviationMinimum: Int16 = 20
    /// How many usual spreads (mean absolute deviations) from the usual rate a deviation is at least. 1 to 20, the
    /// default is 4.
    public var deviationSpreads: Int = 4
    /// How long a deviation has to last, and half of that how long it has to be over. 1 to 60 min, the default is 30 min.
    public var deviationDelay: Microseconds = .minutes(30)

    /// How long after people were told of high severity they are told once more when nobody has acknowledged it; nil for
    /// never. 1 to 1440 min, the default is nil.
    public var reminder: Microseconds?

    /// How long readings wait for others that are late; `LATENESS_SECONDS`. 0 to 3600 s, the default is 0 s.
    public var lateness: Microseconds = .seconds(0)

    /// The jump between two readings within `jumpTime` that makes the second one suspect. 1 to 299 bpm, the default is 30.
    public var jump: Int16 = 30
    /// See `jump`. 1 to 60 s, the default is 5 s.
    public var jumpTime: Microseconds = .seconds(5)
    /// How long the rate has to stay the same for the sensor to be stuck: it repeats itself, and its readings are suspect. 1 to 1440 min, the default is 10 min.
    public var flatTime: Microseconds = .minutes(10)
    /// How many readings of the same rate that takes at least. 2 to 1000, the default is 60.
    public var flatReadings: Int = 60

    /// The defaults.
    public init() {}
}

extension EpisodeRules {
    /// The limits of bradycardia.
    @inline(__always)
    func slow(_ limits: CustomerLimits) -> SeverityLimits {
        let own = limits.heartRateMin ?? heartRateMin
        var severities = SeverityLimits()
        severities.high = EighthsOfBPM(own) * -8
        severities.urgent = own
        severities.opening = own
        // An own minimum says what is usual for this heart; the rules' does not speak against NEWS2.
        guard lowestScore != nil, limits.heartRateMin == nil else { return severities }
        let medium: EighthsOfBPM = 40 * -8 - 1
        guard medium < severities.high else { return severities }
        severities.medium = medium
        severities.opening = 40
        return severities
    }

    /// The limits of tachycardia.
    ///
    /// NEWS2 is made for people in bed. At rest and asleep a rate from 111 is medium; a walk of an untrained person
    /// reaches half of the heart rate reserve, some 150 bpm; in exercise no rate below the maximum is unusual.
    @inline(__always)
    func fast(_ limits: CustomerLimits, _ activity: Activity?) -> SeverityLimits {
        let own = limits.heartRateMax ?? heartRateMax
        var severities = SeverityLimits()
        severities.high = EighthsOfBPM(own) * 8
        severities.urgent = own
        severities.opening = own
        // An own maximum says what is usual for this heart: NEWS2 is for adults, and not for those who are pregnant.
        guard let lowestScore, limits.heartRateMax == nil else { return severities }
        let medium: Int16
        var low: Int16?
        switch activity {
        case .sleep, .rest: medium = 111
        case nil:
            medium = 131
            if lowestScore <= 2 { low = 111 }
        case .walk: medium = 151
        case .exercise: return severities
        }
        guard EighthsOfBPM(medium) * 8 - 1 < severities.high else { return severities }
        severities.medium = EighthsOfBPM(medium) * 8 - 1
        severities.opening = medium - 1
        guard let low else { return severities }
        severities.low = EighthsOfBPM(low) * 8 - 1
        severities.opening = low - 1
        return severities
    }

    /// The limit of rest of a bradycardia in bpm; nil where own limits replace it.
    func restMin(_ limits: CustomerLimits) -> Int16? {
        limits.restMin ?? (lowestScore == nil || limits.heartRateMin != nil ? nil : restMin)
    }

    /// The limit of rest of a tachycardia in bpm; nil where own limits replace it.
    func restMax(_ limits: CustomerLimits) -> Int16? {
        limits.restMax ?? (lowestScore == nil || limits.heartRateMax != nil ? nil : restMax)
    }

    /// The times of bradycardia and tachycardia.
    @inline(__always)
    var times: EpisodeTrack.Times {
        EpisodeTrack.Times(
            delay: scoreDelay, highDelay: highDelay, closing: closingTime, easing: easingTime,
            margin: EighthsOfBPM(margin) * 8, readings: readings)
    }

    /// The times of a deviation, which has but one severity: half of its delay ends it.
    var deviationTimes: EpisodeTrack.Times {
        EpisodeTrack.Times(
            delay: deviationDelay, highDelay: Microseconds(0), closing: deviationDelay / 2,
            easing: Microseconds(.max), margin: EighthsOfBPM(margin) * 8,
            readings: readings)
    }

    /// A track counts no further than 7.
    private var readings: UInt8 { UInt8(min(max(delayReadings, 1), 7)) }
}
