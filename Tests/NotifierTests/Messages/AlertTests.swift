import Testing

@testable import Notifier

@Suite struct AlertTests {
    private let now: Int64 = 1_771_516_400_000_000

    @Test("an open episode is an alert that lasts, and a closed one is over")
    func ends() {
        let open = Alert.alerts(of: .example(), at: now)
        #expect(open.map(\.isOver) == [false])
        #expect(open[0].startsAt == "2026-02-19T15:53:11.000000+00:00")
        #expect(open[0].endsAt > "2026-02-20")
        #expect(
            open[0].labels == [
                "alertname": "HeartbeatEpisode", "customer_id": "cust_0001", "episode": "12", "kind": "tachycardia",
                "severity": "high",
            ])
        let closed = Alert.alerts(of: .example(.closed, closed: now - 1_000_000), at: now)
        #expect(closed.map(\.isOver) == [true])
        #expect(closed[0].endsAt == "2026-02-19T15:53:19.000000+00:00")
    }

    @Test("a clock that is ahead makes no alert that begins or ends in the future")
    func ahead() {
        let earlier: Int64 = 1_771_516_390_000_000
        let closed = Alert.alerts(of: .example(.closed, closed: now), at: earlier)
        #expect(closed[0].startsAt == closed[0].endsAt)
        #expect(closed[0].endsAt == "2026-02-19T15:53:10.000000+00:00")
    }

    @Test("a change of severity ends one alert and begins another")
    func severities() {
        let alerts = Alert.alerts(of: .example(.escalated, .high), at: now)
        #expect(alerts.map { $0.labels["severity"] } == ["medium", "high"])
        #expect(alerts.map(\.isOver) == [true, false])
    }
}
