public import HeartRate

/// How often simulated hearts beat too slowly or too fast for a while. Both rates are 0 or more.
public struct SpellRates: Hashable, Sendable {
    /// Spells below 40 bpm, in each hour of each heart. The default is 0.5.
    public var bradycardiaPerHour: Double
    /// Spells above 180 bpm, in each hour of each heart. The default is 0.5.
    public var tachycardiaPerHour: Double

    /// Rates; see the properties for the defaults.
    public init(bradycardiaPerHour: Double = 0.5, tachycardiaPerHour: Double = 0.5) {
        self.bradycardiaPerHour = bradycardiaPerHour
        self.tachycardiaPerHour = tachycardiaPerHour
    }
}

/// One customer's heart: a course of sleep, rest, walks and exercise, with breathing and noise on top of it, and now
/// and then a spell of bradycardia (28 to 35 bpm) or tachycardia (190 to 215 bpm).
///
/// The same seed and customer always have the same course, whatever other customers there are. Outside of spells and
/// of the half minute in which the rate returns from one, it stays within `usualRates`.
///
/// Where the numbers are from: the highest rate is 208 - 0.7 x age (Tanaka, Monahan and Seals 2001); an activity is a
/// share of the reserve between resting and highest rate (Karvonen 1957), 0.3 to 0.4 being light and 0.6 to 0.9
/// vigorous (American College of Sports Medicine); breathing sways the rate at 0.15 to 0.4 Hz (Task Force of the
/// European Society of Cardiology 1996). The time constants, durations and amplitudes are choices that look right.
public struct SimulatedHeart: Sendable {
    /// One moment of a heart.
    public struct Sample: Hashable, Sendable {
        /// Beats per minute, 1 to 299.
        public var bpm: Int16
        /// What the customer is doing.
        public var activity: Activity
        /// The spell that the heart is in, if it is in one. In its first seconds the rate is still on its way.
        public var spell: Anomaly.Kind?
    }

    /// The rates outside of spells, in bpm.
    public static let usualRates: ClosedRange<Int16> = 42...178

    // Float, because a hundred thousand hearts may have to be kept: 72 bytes each.
    private var random: SplitMix64
    private let rates: SpellRates

    private let restingRate: Float
    private let reserve: Float
    /// In Hz and bpm, at rest.
    private let breathingRate: Float
    private let breathingSway: Float

    private var activity: Activity
    private var spell: Anomaly.Kind?
    /// What the rate is approaching, in bpm.
    private var activityTarget: Float
    private var spellTarget: Float = 0
    /// Seconds that are left of them.
    private var activityLeft: Float
    private var spellLeft: Float = 0

    /// The rate without breathing and noise, in bpm.
    private var level: Float
    /// In bpm.
    private var noise: Float = 0
    /// Of breathing, 0 to 1.
    private var phase: Float

    /// The heart of a customer, who is in the midst of something.
    public init(seed: UInt64, customer: Int, rates: SpellRates = SpellRates()) {
        var random = SplitMix64(seed: seed, stream: UInt64(bitPattern: Int64(customer)))
        self.rates = rates
        let age: Float = random.next(in: 18...80)
        restingRate = min(max(66 + 7 * random.nextNormal(), 52), 85)
        reserve = 208 - 0.7 * age - restingRate
        breathingRate = random.next(in: 0.2...0.3)
        // It fades with age.
        breathingSway = random.next(in: 1...3) * (1 - age / 120)
        phase = Float(random.nextUnit())
        let chance = random.nextUnit()
        activity = chance < 0.15 ? .sleep : chance < 0.65 ? .rest : chance < 0.87 ? .walk : .exercise
        activityLeft = random.next(in: activity.duration) * Float(random.nextUnit())
        activityTarget = Self.usual(restingRate + reserve * random.next(in: activity.shareOfReserve))
        level = activityTarget
        self.random = random
    }

    /// The heart as it is some seconds after the last sample; less than 0 counts as 0, more than a day as a day.
    ///
    /// However long that is, at most one activity and one spell begin in it.
    public mutating func next(after seconds: Double) -> Sample {
        // A day is long enough for everything to have settled, and the arithmetic stays finite.
        let elapsed = seconds > 0 ? Float(min(seconds, 86_400)) : 0
        proceed(elapsed)
        let target = spell == nil ? activityTarget : spellTarget
        // First order, by the implicit Euler method: stable for any step, and needs no exponential.
        level += (target - level) * elapsed / (elapsed + timeConstant(towards: target))
        return Sample(bpm: rate(after: elapsed), activity: activity, spell: spell)
    }

    /// Goes on to the next activity, and in or out of a spell.
    private mutating func proceed(_ elapsed: Float) {
        activityLeft -= elapsed
        if activityLeft <= 0 { begin(activity.following(random.nextUnit())) }
        if spell != nil {
            spellLeft -= elapsed
            if spellLeft <= 0 { spell = nil }
            return
        }
        let hours = Double(elapsed) / 3600
        let slow = rates.bradycardiaPerHour * hours
        let fast = rates.tachycardiaPerHour * hours
        // As long as the step is short against the time between spells this is their rate; it never exceeds 1.
        let chance = random.nextUnit() * (1 + slow + fast)
        guard chance < slow + fast else { return }
        spell = chance < slow ? .bradycardia : .tachycardia
        spellTarget = random.next(in: chance < slow ? 29...34 : 192...212)
        spellLeft = random.next(in: 40...120)
    }

    private mutating func begin(_ next: Activity) {
        activity = next
        activityLeft = random.next(in: next.duration)
        activityTarget = Self.usual(restingRate + reserve * random.next(in: next.shareOfReserve))
    }

    /// A little within the usual rates, so that only a spell leads out of them.
    private static func usual(_ target: Float) -> Float {
        min(max(target, Float(usualRates.lowerBound) + 3), Float(usualRates.upperBound) - 3)
    }

    /// Seconds in which the rate makes 63 % of its way.
    private func timeConstant(towards target: Float) -> Float {
        // A spell begins and ends at once, but not by 30 bpm in a second, which would be taken for a faulty sensor.
        if spell != nil || !(Float(Self.usualRates.lowerBound)...Float(Self.usualRates.upperBound)).contains(level) {
            return 6
        }
        if activity == .sleep { return 300 }
        // The heart hurries faster than it calms down: with 75 s it is 44 of 80 bpm slower a minute after an effort,
        // where 12 or less would be a bad sign (Cole et al. 1999).
        return target > level ? 30 : 75
    }

    /// The level with breathing and noise, in bpm.
    private mutating func rate(after elapsed: Float) -> Int16 {
        // Breathing is deeper and less visible under effort: both follow from how far the level is above rest.
        let effort = min(max((level - restingRate) / reserve, 0), 1)
        phase += elapsed * breathingRate * (1 + effort)
        phase -= phase.rounded(.down)
        // Two parabolas instead of a sine; the difference is below 6 %.
        let swing = 2 * phase - 1
        let breathing = 4 * swing * (1 - abs(swing)) * breathingSway * (1 - effort)
        // AR(1): it forgets within 8 s, and its standard deviation is 1 bpm.
        let memory = 8 / (8 + elapsed)
        noise = noise * memory + random.nextNormal() * (1 - memory * memory).squareRoot()

        let rate = (level + breathing + noise).rounded()
        let usual = Self.usualRates
        if spell == nil, level >= Float(usual.lowerBound), level <= Float(usual.upperBound) {
            return Int16(min(max(rate, Float(usual.lowerBound)), Float(usual.upperBound)))
        }
        return Int16(min(max(rate, 1), 299))
    }
}

extension Activity {
    /// In seconds: short enough that an hour shows some of everything.
    fileprivate var duration: ClosedRange<Float> {
        switch self {
        case .sleep: 3600...10_800
        case .rest: 180...1500
        case .walk: 120...900
        case .exercise: 600...2400
        }
    }

    /// How far the rate is above the resting one, as a share of the reserve.
    fileprivate var shareOfReserve: ClosedRange<Float> {
        switch self {
        case .sleep: -0.08 ... -0.03
        case .rest: 0...0.12
        case .walk: 0.25...0.4
        case .exercise: 0.55...0.8
        }
    }

    /// What comes next, for a random number in 0..<1.
    fileprivate func following(_ chance: Double) -> Activity {
        switch self {
        case .sleep: .rest
        case .rest: chance < 0.1 ? .sleep : chance < 0.75 ? .walk : .exercise
        case .walk: chance < 0.7 ? .rest : .exercise
        case .exercise: chance < 0.4 ? .rest : .walk
        }
    }
}
