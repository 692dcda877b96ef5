import HeartRate

/// How the episodes of one kind agree with the labels.
struct KindScore {
    let kind: EpisodeKind
    var episodes = 0
    /// Episodes of which people would be told.
    var told = 0
    /// Labels of this kind that are long enough to be found.
    var labels = 0
    var found = 0
    /// Episodes that no label explains, and those of them that would be told.
    var unexplained = 0
    var falselyTold = 0
    /// From the beginning of a label until the episode was raised, in seconds, sorted; one that was open before is left out.
    var delays: [Double] = []
    /// Of the same to high severity.
    var highDelays: [Double] = []

    /// What is shorter is no alarm's business: 20 s.
    private static let shortest: Int64 = 20_000_000

    var recall: Double? { labels > 0 ? Double(found) / Double(labels) : nil }

    init(_ kind: EpisodeKind, _ customers: [ScoredCustomer]) {
        self.kind = kind
        for customer in customers { add(customer) }
        delays.sort()
        highDelays.sort()
    }

    private mutating func add(_ customer: ScoredCustomer) {
        let own = customer.episodes.filter { $0.kind == kind }
        for label in customer.labels where label.kind == kind.name && isLong(label, customer) {
            labels += 1
            let isHeart = kind == .bradycardia || kind == .tachycardia
            let hit = own.first {
                label.overlaps($0, until: customer.last) && (!isHeart || $0.worstSeverity == .high)
            }
            guard let hit else { continue }
            found += 1
            let delay = Self.seconds(from: label.began, to: hit.raisedAt)
            if delay >= 0 { delays.append(delay) }
            let high = customer.changes(of: hit).first { $0.episode.severity == .high && $0.change != .closed }
            if let high, high.happenedAt >= label.began {
                highDelays.append(Self.seconds(from: label.began, to: high.happenedAt))
            }
        }
        for episode in own {
            episodes += 1
            let isTold = customer.isTold(episode)
            if isTold { told += 1 }
            let isExplained = customer.labels.contains {
                $0.explains(episode) && $0.overlaps(episode, until: customer.last)
            }
            if !isExplained {
                unexplained += 1
                if isTold { falselyTold += 1 }
            }
        }
    }

    private func isLong(_ label: ScoreLabel, _ customer: ScoredCustomer) -> Bool {
        let length = label.ended.microsecondsSince1970 - label.began.microsecondsSince1970
        // A signal is lost after five steps; a sixth, since a silence is counted in whole ones.
        let steps =
            kind == .signalLoss ? Int64(customer.hours * 3_600_000_000) / Int64(max(customer.readings, 1)) * 6 : 0
        return length >= max(Self.shortest, steps)
    }

    private static func seconds(from one: Instant, to other: Instant) -> Double {
        Double(other.microsecondsSince1970 - one.microsecondsSince1970) / 1_000_000
    }

    /// The value below which a share of sorted values lies; nil of none.
    static func quantile(_ values: [Double], _ share: Double) -> Double? {
        values.isEmpty ? nil : values[min(Int(Double(values.count) * share), values.count - 1)]
    }
}
