/// A reading that waits for others that are late.
struct PendingReading: Hashable, Sendable {
    /// In microseconds since 1970.
    var at: Int64
    /// In bpm.
    var rate: Int16
    var activity: Activity?

    /// The order in which they are judged; of two at the same time the lower rate comes first, and the other is late.
    static func < (one: PendingReading, other: PendingReading) -> Bool {
        (one.at, one.rate, one.activity?.rawValue ?? .max) < (other.at, other.rate, other.activity?.rawValue ?? .max)
    }
}

extension Detector {
    /// So many readings wait at most, an hour of one each second; over it the oldest is judged. Each takes 16 bytes, and some
    /// 8 of a checkpoint.
    static let mostPending = 3600

    mutating func wait(
        _ reading: PendingReading, _ rules: EpisodeRules, _ limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        var place = pending.count
        while place > 0, reading < pending[place - 1] { place -= 1 }
        let neighbour = place > 0 ? pending[place - 1] : nil
        let gap = reading.at - (neighbour?.at ?? (lastAt == Self.noTime ? reading.at : lastAt))
        let jumps =
            (neighbour != nil || lastAt != Self.noTime) && gap <= Int64(rules.jumpTime) * 1_000_000
            && abs(reading.rate - (neighbour?.rate ?? lastRate)) >= rules.jump
        pending.insert(reading, at: place)
        let newest = pending[pending.count - 1].at
        judgePending(
            upTo: newest - Int64(rules.latenessSeconds) * 1_000_000, keeping: Self.mostPending, rules, limits, changed)
        return jumps ? .suspect : .usual
    }

    /// Judges everything that waits.
    mutating func judgePending(
        _ rules: EpisodeRules, _ limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        judgePending(upTo: .max, keeping: 0, rules, limits, changed)
    }

    private mutating func judgePending(
        upTo time: Int64, keeping most: Int, _ rules: EpisodeRules, _ limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        var judged = 0
        while judged < pending.count, pending[judged].at <= time || pending.count - judged > most {
            let reading = pending[judged]
            judged += 1
            if reading.at > lastAt {
                _ = judge(reading.rate, reading.at, reading.activity, rules, limits, changed)
            }
        }
        pending.removeFirst(judged)
    }

    mutating func codePending(_ coder: inout CheckpointCoder) {
        var count = UInt16(pending.count)
        coder.code(&count, in: 0...UInt16(Self.mostPending))
        for index in 0..<Int(count) {
            var reading = coder.isReading ? PendingReading(at: 0, rate: 0) : pending[index]
            var activity = reading.activity?.rawValue ?? UInt8(Activity.allCases.count)
            coder.codeTime(&reading.at)
            coder.code(&reading.rate, after: 0)
            coder.code(&activity, in: 0...UInt8(Activity.allCases.count))
            reading.activity = Activity(rawValue: activity)
            if coder.isReading { pending.append(reading) }
        }
    }
}
