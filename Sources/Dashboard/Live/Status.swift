/// How a customer is, in one word: the worst of what detection has open.
///
/// Lists, tiles, filters, the customer's own page, the interface and the metrics have it from here, and from nowhere else.
enum Status: String, Encodable, Sendable, CaseIterable {
    /// In the order of their urgency.
    case high, medium, low
    case noSignal = "no signal"
    case notWorn = "not worn"
    case normal

    /// What a person has to look at comes first.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// What an open episode makes of its customer.
    ///
    /// A technical one of high severity is one that detection itself holds for a danger, and counts as that.
    init(kind: String, severity: String) {
        if let technical = Self.technical[kind], severity != Self.high.rawValue {
            self = technical
        } else {
            self = Self(rawValue: severity) ?? .medium
        }
    }

    /// The worst of several; normal when nothing is open.
    init(_ open: [EpisodeItem]) {
        self = open.map { Status(kind: $0.kind, severity: $0.severity) }.min { $0.rank < $1.rank } ?? .normal
    }

    /// Whether an episode of the kind tells of the sensor and not of the heart. Then the last rate is not a current one.
    static func isTechnical(_ kind: String) -> Bool { technical[kind] != nil }

    /// The kinds that tell of the sensor, as a list of SQL.
    static let technicalKinds = technical.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")

    /// The kinds that tell of the sensor, and what they mean to a nurse.
    private static let technical: [String: Status] = [
        "signal loss": .noSignal, "sensor stuck": .noSignal, "poor signal": .noSignal, "0 bpm reported": .noSignal,
        "not worn": .notWorn,
    ]
}

/// Where a customer with an open or unseen episode stands in the list of people.
enum Section: String, Encodable, Sendable, CaseIterable {
    /// Somebody has to look now.
    case now
    /// It was bad, nobody saw it, and it is better now.
    case eased
    /// Somebody has seen it, or it can wait.
    case watched

    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// - Returns: nil when an episode asks nothing of anybody.
    init?(_ episode: EpisodeItem) {
        switch episode.attention {
        case .new, .reminder:
            let canWait = episode.severity == "low" || Status.isTechnical(episode.kind) && episode.severity != "high"
            self = canWait ? .watched : .now
        case .eased, .ended: self = .eased
        case .seen: self = .watched
        case .none: return nil
        }
    }
}

/// What is open of one customer, or ended unseen: the most urgent first.
struct Standing: Sendable {
    let status: Status
    let section: Section?
    let episodes: [EpisodeItem]
    /// Whether the latest rate is of now, as far as detection knows.
    let isCurrent: Bool
    /// What the list of people is sorted by: the section, the severity, and the latest first.
    let urgency: Urgency
    let pause: Pause?

    /// Until when somebody wants to hear nothing of a customer. What is open is still shown, but asks nobody.
    struct Pause: Sendable {
        let until: Moment
        let by: String
    }

    struct Urgency: Comparable, Sendable {
        var section = Section.allCases.count
        var severity = 3
        var alarmedAt: Int64 = 0

        static func < (one: Urgency, other: Urgency) -> Bool {
            (one.section, one.severity, -one.alarmedAt) < (other.section, other.severity, -other.alarmedAt)
        }
    }

    /// Nothing is open.
    static let calm = Standing([])

    /// Whether there is nothing to know.
    var isCalm: Bool { episodes.isEmpty && pause == nil }

    init(_ episodes: [EpisodeItem], pause: Pause? = nil) {
        let ordered = episodes.map { (item: $0, urgency: Self.urgency(of: $0)) }.sorted { $0.urgency < $1.urgency }
        self.pause = pause
        self.episodes = ordered.map(\.item)
        let open = episodes.filter { $0.closedAt == nil }
        status = Status(open)
        let section = ordered.first.flatMap { Section($0.item) }
        self.section = pause != nil && section != nil ? .watched : section
        isCurrent = !open.contains { Status.isTechnical($0.kind) }
        var urgency = ordered.first?.urgency ?? Urgency()
        urgency.section = self.section?.rank ?? urgency.section
        self.urgency = urgency
    }

    private static func urgency(of episode: EpisodeItem) -> Urgency {
        let worst = episode.attention == .eased || episode.attention == .ended ? "high" : episode.severity
        return Urgency(
            section: Section(episode)?.rank ?? Section.allCases.count,
            severity: ["high", "medium", "low"].firstIndex(of: worst) ?? 3,
            alarmedAt: episode.alarmedAt?.microseconds ?? episode.raisedAt.microseconds)
    }
}
