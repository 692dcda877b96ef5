/// Which of a customer's time stamps can be believed, each beside those before it. Nothing else is asked, so old data and
/// live ones are judged alike.
///
/// A stamp that is far ahead of the one before it is set aside until a second one confirms it: after a pause the next one
/// does, and a single wrong one is dropped. Stamps that go back and on from there, one after the other, are those of a clock
/// that was set back. 48 bytes.
struct SensorClock {
    /// What is to be done with a reading.
    enum Verdict: Equatable {
        /// It is the next one.
        case take
        /// It waits for another one.
        case setAside
        /// What was set aside is right, and this one with it; in the order of their time stamps.
        case takeBoth(Sample, Sample)
        /// What was set aside is right; this one waits in its place.
        case takeEarlier(Sample)
        /// It comes late.
        case late
        /// The clock was set back: the customer's time starts again with this reading.
        case restart
    }

    private static let none = Sample(0, at: .earliest)
    private static let mostDisorder: UInt8 = 5

    /// What is set aside, and how many readings have gone on from before it.
    private var aside = none
    private var doubts: UInt8 = 0
    /// How many stamps in a row go on from an earlier time.
    private var behindCount: UInt8 = 0
    /// How often such a row was broken shortly before: of readings in no order a longer one is needed, since some rise by
    /// chance.
    private var disorder: UInt8 = 0
    private var isRepetition = false
    /// The first reading, by which what is sent once more is recognized.
    private var first = none
    /// The newest time stamp that was believed when a reading was set aside.
    private var before = Int64.min
    /// The last of the stamps that go on from an earlier time.
    private var behind = Int64.min

    /// Whether some reading waits.
    private var hasAside: Bool { aside != Self.none }

    /// Notes a reading that is shortly after the newest one.
    @inline(__always)
    mutating func goOn(to at: Int64, _ rules: EpisodeRules) {
        if behindCount > 0 {
            disorder = min(disorder + 2, Self.mostDisorder)
        } else if disorder > 0 {
            disorder -= 1
        }
        (behindCount, isRepetition) = (0, false)
        if hasAside { doubt(at, rules) }
    }

    /// Time goes on from before what is set aside: soon that is forgotten.
    private mutating func doubt(_ at: Int64, _ rules: EpisodeRules) {
        if doubts < .max { doubts += 1 }
        if at >= aside.at || Int(doubts) > rules.clockReadings && at - before > rules.lateness.count {
            aside = Self.none
        }
    }

    /// Looks at a reading that is later than all before.
    ///
    /// - Parameters:
    ///   - newest: the newest time stamp that was believed, in microseconds since 1970; `.min` before the first.
    ///   - reach: how far ahead a time stamp may be.
    mutating func take(_ sample: Sample, after newest: Int64, reach: Microseconds, _ rules: EpisodeRules) -> Verdict {
        guard newest != .min else {
            begin(with: sample)
            return .take
        }
        if sample.at - newest <= reach.count {
            goOn(to: sample.at, rules)
            return .take
        }
        return takeAhead(sample, after: newest, reach: reach, rules)
    }

    private mutating func takeAhead(
        _ sample: Sample, after newest: Int64, reach: Microseconds, _ rules: EpisodeRules
    ) -> Verdict {
        let earlier = aside
        // The same stamp again confirms nothing: it is the same message.
        if hasAside, sample.at == earlier.at { return .setAside }
        if hasAside, abs(sample.at - earlier.at) <= reach.count {
            aside = Self.none
            (behindCount, isRepetition) = (0, false)
            return sample < earlier ? .takeBoth(sample, earlier) : .takeBoth(earlier, sample)
        }
        // Nothing has gone on from the time before it.
        let isUndoubted = hasAside && sample.at > earlier.at && newest - before <= rules.lateness.count
        (aside, doubts) = (sample, 0)
        before = isUndoubted ? earlier.at : newest
        return isUndoubted ? .takeEarlier(earlier) : .setAside
    }

    /// Looks at a reading that is not later than one that was judged.
    mutating func takeLate(_ sample: Sample, after newest: Int64, reach: Microseconds, _ rules: EpisodeRules) -> Verdict
    {
        if sample.at == first.at, sample.rate == first.rate { isRepetition = true }
        guard !isRepetition, newest - sample.at >= rules.clockStep.count else { return .late }
        if behindCount > 0, sample.at == behind { return .late }
        let continues = behindCount > 0 && sample.at > behind && sample.at - behind <= reach.count
        if behindCount > 0, !continues { disorder = min(disorder + 1, Self.mostDisorder) }
        behindCount = continues ? behindCount + 1 : 1
        behind = sample.at
        guard Int(behindCount) >= rules.clockReadings + Int(disorder) else { return .late }
        begin(with: sample)
        return .restart
    }

    private mutating func begin(with sample: Sample) {
        let disorder = disorder
        self = SensorClock()
        (self.disorder, first) = (disorder, sample)
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        var has = hasAside
        coder.code(&has)
        if has {
            Self.code(&aside, &coder)
            coder.codeTime(&before)
            coder.code(&doubts, after: 0)
        }
        coder.code(&disorder, in: 0...Self.mostDisorder)
        coder.code(&behindCount, in: 0...UInt8.max)
        if behindCount > 0 { coder.codeTime(&behind) }
        Self.code(&first, &coder)
        coder.code(&isRepetition)
    }

    private static func code(_ sample: inout Sample, _ coder: inout CheckpointCoder) {
        var activity = sample.activity?.rawValue ?? UInt8(Activity.allCases.count)
        coder.codeTime(&sample.at)
        coder.code(&sample.rate, after: 0)
        coder.code(&activity, in: 0...UInt8(Activity.allCases.count))
        sample.activity = Activity(rawValue: activity)
    }
}
