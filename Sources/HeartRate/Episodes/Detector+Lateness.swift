extension Detector {
    /// The most samples that wait, an hour of one each second; beyond it the oldest is judged. Each takes 16 bytes, and some
    /// 8 of a checkpoint.
    static let mostPending = 3600

    mutating func wait(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        var place = pending.count
        while place > 0, sample < pending[place - 1] { place -= 1 }
        let neighbour = place > 0 ? pending[place - 1] : nil
        let gap = sample.at - (neighbour?.at ?? (lastAt == noTime ? sample.at : lastAt))
        // The one before the neighbour: who comes back to it was never away.
        let earlier = place > 1 ? pending[place - 2].rate : place == 1 && lastAt != noTime ? lastRate : trustedRate
        let jumps =
            (neighbour != nil || lastAt != noTime) && gap <= rules.jumpTime.count
            && abs(sample.rate - (neighbour?.rate ?? lastRate)) >= rules.jump
            && abs(sample.rate - earlier) >= rules.jump
        pending.insert(sample, at: place)
        var due = 0
        let newest = pending[pending.count - 1].at
        while due < pending.count,
            pending[due].at <= newest - rules.lateness.count || pending.count - due > Self.mostPending
        {
            due += 1
        }
        judgePending(due, rules: rules, limits: limits, changed)
        return jumps ? .suspect : .usual
    }

    /// Judges the oldest of the samples that wait.
    mutating func judgePending(
        _ due: Int, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        for index in 0..<due where pending[index].at > lastAt {
            _ = judge(pending[index], rules: rules, limits: limits, changed)
        }
        pending.removeFirst(due)
    }
}
