import Testing

@testable import Dashboard

struct StatusTests {
    @Test(
        "the status is the severity of what is open; what tells of the sensor has a word of its own",
        arguments: [
            ("tachycardia", "high", Status.high), ("bradycardia", "medium", .medium), ("deviation", "low", .low),
            ("signal loss", "medium", .noSignal), ("sensor stuck", "low", .noSignal), ("not worn", "low", .notWorn),
            ("signal loss", "high", .high), ("a kind of tomorrow", "medium", .medium),
        ] as [(String, String, Status)])
    func kinds(kind: String, severity: String, wanted: Status) {
        #expect(Status(kind: kind, severity: severity) == wanted)
    }

    @Test("of several the worst counts, and nothing open is normal")
    func worst() {
        #expect(Status([]) == .normal)
        #expect(Status.allCases.map(\.rank) == Status.allCases.map(\.rank).sorted())
    }

    @Test("a daemon whose file is removed was stopped; one that never was here is absent")
    func daemons() {
        var seen = SeenDaemons()
        let consumer = Snapshot.DaemonItem(
            name: "consumer", kind: "consumer", state: .ready, updatedAt: Moment(microseconds: 5_000_000))
        let absent = ["producer", "consumer"].map { Snapshot.DaemonItem(name: $0, kind: $0, state: .absent) }
        #expect(seen.complete([consumer, absent[0]]).map(\.state) == [.ready, .absent])
        let later = seen.complete(absent)
        #expect(later.map { "\($0.name) \($0.state)" } == ["consumer stopped", "producer absent"])
        #expect(later[0].since == consumer.updatedAt)
        #expect(seen.complete([consumer, absent[0]]).map(\.state) == [.ready, .absent])
    }
}
