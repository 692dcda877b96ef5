import Testing

@testable import Consumer
@testable import HeartRate

@Suite("Which changes of episodes people are told") struct EpisodeChoiceTests {
    private var choice = EpisodeChoice()
    /// The time of day of each test, in seconds since 1970.
    private static let now: Int64 = 1_800_000_000

    private func instant(_ seconds: Int64) -> Instant { Instant(microsecondsSince1970: seconds * 1_000_000) }

    /// How severe an episode is and was.
    private enum Level {
        case high, medium, low, easedFromHigh

        var now: Severity {
            switch self {
            case .high: .high
            case .medium, .easedFromHigh: .medium
            case .low: .low
            }
        }
        var worst: Severity { self == .easedFromHigh ? .high : now }
    }

    /// - Parameter ago: when it happened, in seconds before now.
    private func change(
        _ change: EpisodeChange, _ level: Level = .high, kind: EpisodeKind = .tachycardia, ago: Int64 = 1,
        opened: Int64 = 1000
    ) -> CustomerEpisode {
        let at = instant(Self.now - ago)
        return CustomerEpisode(
            customerID: "a",
            episode: Episode(
                kind: kind, severity: level.now, worstSeverity: level.worst, openedAt: instant(Self.now - opened),
                raisedAt: change == .opened ? at : instant(Self.now - opened), lastSeenAt: at,
                closedAt: change == .closed ? at : nil, extremeHeartRate: 200, readings: 9,
                evidence: .limit(nearest: 190, limit: 180, highLimit: nil)),
            change: change)
    }

    private mutating func told(_ changes: CustomerEpisode..., after seconds: Int64 = 0) -> [EpisodeChange] {
        choice.worthTelling(changes, at: instant(Self.now + seconds)).map(\.change)
    }

    @Test("high severity is told, lower is not, and what was high is told when it is over")
    mutating func severity() {
        #expect(told(change(.opened)) == [.opened])
        #expect(told(change(.opened, .medium).of("b"), change(.opened, .low).of("c")) == [])
        #expect(told(change(.escalated, .high).of("b")) == [.escalated])
        #expect(told(change(.escalated, .medium).of("c")) == [])
        #expect(told(change(.eased, .easedFromHigh).of("b")) == [])
        #expect(told(change(.closed, .easedFromHigh).of("b")) == [.closed])
        #expect(told(change(.closed, .medium).of("c")) == [])
        #expect(choice.takeUntold(at: instant(Self.now + 60)) == nil)
    }

    @Test("a sensor whose clock is behind is told of as if its clock were right")
    mutating func behind() {
        func late(_ one: CustomerEpisode) -> CustomerEpisode {
            var one = one
            one.behind = 3_600_000
            return one
        }
        #expect(told(change(.opened, ago: 3600)) == [])
        #expect(told(late(change(.opened, ago: 3600).of("b"))) == [.opened])
        #expect(told(late(change(.opened, ago: 7200).of("c"))) == [], "that was an hour ago by any clock")
        // When it is known only later that the clock is behind, it is told then.
        #expect(told(change(.opened, ago: 3600).of("d")) == [])
        let standing = Findings.Found(
            customerID: "d", episode: change(.opened, ago: 3600).episode, behind: 3_600_000)
        #expect(choice.worthTelling([], standing: [standing], at: instant(Self.now + 9)).map(\.change) == [.opened])
    }

    @Test("each change is told once, also when an episode swings between two severities")
    mutating func once() {
        #expect(told(change(.opened)) == [.opened])
        #expect(told(change(.eased, .easedFromHigh)) == [])
        #expect(told(change(.escalated)) == [])
        // Another kind, customer or episode is another matter.
        #expect(told(change(.opened, kind: .signalLoss, opened: 2)) == [.opened])
        #expect(told(change(.opened).of("b"), change(.opened, opened: 500)) == [.opened, .opened])
        #expect(told(change(.closed)) == [.closed])
        #expect(told(change(.opened)) == [.opened])
    }

    @Test("what happened long ago, or was over when it was found, is counted and not told")
    mutating func old() {
        #expect(told(change(.opened, ago: 601)) == [])
        #expect(told(change(.closed, ago: 601).of("b")) == [])
        #expect(told(change(.opened, ago: 100).of("c"), change(.closed, ago: 10).of("c")) == [])
        #expect(told(change(.opened, ago: 599).of("d")) == [.opened])
        // Its end is nothing to those who do not know of it.
        #expect(told(change(.closed, ago: 1)) == [])
        // Its end is something to those who do, also when we were away for long.
        #expect(told(change(.closed, ago: 9999).of("d")) == [.closed])
        #expect(choice.takeUntold(at: instant(Self.now + 60)) == EpisodeChoice.Untold(old: 2))
        #expect(choice.takeUntold(at: instant(Self.now + 120)) == nil)
    }

    @Test("what began while we were away and goes on is told when readings of now show it, once")
    mutating func goesOn() {
        func standing(_ ago: Int64, _ severity: Severity = .high) -> [Findings.Found] {
            let found = change(.escalated, severity == .high ? .high : .easedFromHigh, ago: ago, opened: 5000)
            return [Findings.Found(customerID: found.customerID, episode: found.episode)]
        }
        func told(_ found: [Findings.Found]) -> [EpisodeChange] {
            choice.worthTelling([], standing: found, at: instant(Self.now)).map(\.change)
        }
        #expect(told(standing(1)) == [])
        #expect(self.told(change(.opened, ago: 4000, opened: 5000)) == [])
        #expect(told(standing(3000)) == [])
        #expect(told(standing(1, .medium)) == [])
        #expect(told(standing(1)) == [.opened])
        #expect(told(standing(1)) == [])
        #expect(self.told(change(.closed, ago: 1, opened: 5000)) == [.closed])
        #expect(told(standing(1)) == [])
    }

    @Test("a signal loss that goes on is news, however long ago the last reading was; in a recording it is none")
    mutating func silence() {
        // One reading each two minutes: lost after 10 minutes, urgent after an hour.
        var found = change(.escalated, kind: .signalLoss, ago: 3610, opened: 3010)
        #expect(found.happenedAt == instant(Self.now - 10))
        #expect(told(found) == [.escalated])
        // Lost while we were away.
        found = change(.opened, kind: .signalLoss, ago: 5000, opened: 5000).of("b")
        #expect(told(found) == [.opened])
        #expect(told(change(.escalated, kind: .signalLoss, ago: 90_000, opened: 89_995).of("c")) == [])
        // Found between two readings.
        #expect(
            told(
                change(.opened, kind: .signalLoss, ago: 60, opened: 60).of("d"),
                change(.closed, kind: .signalLoss, ago: 1, opened: 60).of("d")) == [])
    }

    @Test("more than so many in a minute are counted, and told in one line a minute")
    mutating func many() {
        let changes = (0..<100).map { change(.opened).of("\($0)") }
        #expect(choice.worthTelling(changes, at: instant(Self.now)).count == EpisodeChoice.mostInAMinute)
        #expect(choice.takeUntold(at: instant(Self.now)) == EpisodeChoice.Untold(many: 40))
        #expect(told(change(.opened).of("x"), after: 59) == [])
        #expect(choice.takeUntold(at: instant(Self.now + 59)) == nil)
        // Also when something is told at the very beginning of each minute.
        #expect(told(change(.opened).of("y"), after: 60) == [.opened])
        #expect(choice.takeUntold(at: instant(Self.now + 60)) == EpisodeChoice.Untold(many: 1))
        // A clock that is set back ends a minute, too.
        #expect(told(change(.opened).of("z"), after: -9999) == [.opened])
        #expect(choice.worthTelling(changes, at: instant(Self.now - 9998)).count == 40)
    }

    @Test("the fields have all that the episode says, and nothing is missing where there is nothing")
    func fields() {
        let fields = change(.opened).of("x y").fields
        #expect(fields["HEARTBEAT_EVENT"] == "opened" && fields["HEARTBEAT_CUSTOMER"] == "x y")
        #expect(fields["HEARTBEAT_KIND"] == "tachycardia" && fields["HEARTBEAT_SEVERITY"] == "high")
        #expect(fields["HEARTBEAT_RAISED_AT"] == "2027-01-15T07:59:59.000000+00:00")
        #expect(fields["HEARTBEAT_CLOSED_AT"] == "" && fields["HEARTBEAT_HEART_RATE"] == "200")
        #expect(fields["HEARTBEAT_REASON"] == "bpm 190 to 200 for 16 min, limit 180")
        #expect(fields.count == 10)
    }
}

extension CustomerEpisode {
    /// The same of somebody else.
    fileprivate func of(_ customer: String) -> CustomerEpisode {
        CustomerEpisode(customerID: customer, episode: episode, change: change)
    }
}
