import HeartRate
import Testing

@testable import Notifier

@Suite struct RoutesTests {
    private let routes: Routes

    init() throws {
        routes = try RoutesFile.parse(
            """
            receiver all mail all@example.org
            receiver high mail high@example.org
            receiver ward mail ward@example.org
            receiver begin mail begin@example.org
            receiver day mail day@example.org
            route all
            route high severity=high
            route ward group=ward%203,icu kind=tachycardia
            route begin event=opened
            route day quiet=22:00-06:00@Europe/Berlin
            route day severity=high
            """, name: "FILE")
    }

    private func receivers(_ event: EpisodeEvent, told: Set<String> = [], minute: Int? = 720) -> [String] {
        routes.receivers(of: event, told: told, minutes: minute.map { ["Europe/Berlin": $0] } ?? [:])
    }

    @Test("an alarm goes where severity, kind, group and event lead")
    func alarms() {
        #expect(receivers(.example(.opened, .low)) == ["all", "begin", "day"])
        #expect(receivers(.example(.opened, .high)) == ["all", "high", "begin", "day"])
        #expect(receivers(.example(.escalated, .high)) == ["all", "high", "day"])
        #expect(receivers(.example(.opened, .low, groups: ["icu", "x"])) == ["all", "ward", "begin", "day"])
        #expect(receivers(.example(.opened, .low, kind: .bradycardia, groups: ["icu"])) == ["all", "begin", "day"])
        #expect(receivers(.example(.reminded, .high)) == ["all", "high", "day"])
    }

    @Test("quiet hours hold for alarms of their own route, at their own zone's time")
    func quiet() {
        for (minute, isTold) in [(0, false), (359, false), (360, true), (1319, true), (1320, false), (1439, false)] {
            #expect(receivers(.example(.opened, .medium), minute: minute).contains("day") == isTold, "\(minute)")
            #expect(receivers(.example(.opened, .high), minute: minute).contains("day"), "\(minute)")
        }
        #expect(
            receivers(.example(.opened, .medium), minute: nil).contains("day"),
            "a zone that nobody knows is never quiet")
        let noon = QuietHours(begin: 720, end: 780, zone: "UTC")
        #expect([719, 720, 779, 780].map(noon.contains) == [false, true, true, false])
        let rest = QuietHours(begin: 720, end: 1440, zone: "UTC")
        #expect([0, 719, 720, 1439].map(rest.contains) == [false, false, true, true])
    }

    @Test("whoever was told hears of what follows, whatever its severity and the hour, and nobody else does")
    func consequences() {
        for event in [EpisodeEvent.Event.eased, .closed, .acknowledged, .unacknowledged] {
            #expect(receivers(.example(event, .low, groups: ["icu"])) == [], "\(event)")
            #expect(
                receivers(.example(event, .low), told: ["high", "day", "begin"], minute: 0) == ["high", "day"],
                "\(event)")
        }
        #expect(receivers(.example(.closed, .low, groups: ["icu"]), told: ["ward"]) == ["ward"])
        #expect(receivers(.example(.closed, .low), told: ["ghost"]) == [])
    }
}

extension EpisodeEvent {
    static func example(
        _ event: Event = .opened, _ severity: Severity = .high, kind: EpisodeKind = .tachycardia,
        groups: [String] = [], closed: Int64? = nil
    ) -> EpisodeEvent {
        EpisodeEvent(
            id: 7, messageID: "6c84fb90-12c4-11e1-840d-7b25c5ee775a", event: event, episodeID: 12,
            customerID: "cust_0001", groups: groups, kind: kind, severity: severity, worstSeverity: .high,
            earlierSeverity: event == .escalated ? .medium : nil,
            times: .init(
                recorded: 1_771_516_391_500_000, happened: 1_771_516_391_000_000, opened: 1_771_516_383_000_000,
                raised: 1_771_516_391_000_000, closed: closed), heartRate: 207, reason: "above 180 bpm for 8 s",
            person: nil, note: nil)
    }
}
