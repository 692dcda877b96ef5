import Testing

@testable import Doctor

@Suite("What is said of units") struct UnitChecksTests {
    /// A unit as `systemctl show` has it: enabled and active, with these changes.
    private static func unit(_ name: String, _ changes: [String: String] = [:]) -> UnitChecks.Unit {
        let usual = [
            "Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running",
            "UnitFileState": "enabled", "Result": "success", "ExecMainStatus": "0", "NeedDaemonReload": "no",
        ]
        return UnitChecks.Unit(properties: usual.merging(changes) { $1 })
    }

    private static let names = [
        "heartbeat.target", "heartbeat-maintenance.timer", "heartbeat-maintenance.service",
        "heartbeat-producer.service", "heartbeat-consumer.service", "heartbeat-consumer@2.service",
    ]

    private static func checks(_ name: String, _ changes: [String: String]) -> [Check] {
        UnitChecks(names.map { unit($0, $0 == name ? changes : [:]) }).checks.filter { $0.verdict != .ok }
    }

    @Test(
        "each fault is one check",
        arguments: [
            ("heartbeat.target", ["UnitFileState": "disabled"], "warning units.boot"),
            ("heartbeat.target", ["ActiveState": "inactive"], "warning units.target"),
            ("heartbeat-consumer.service", ["ActiveState": "failed"], "error units.heartbeat-consumer"),
            (
                "heartbeat-consumer@2.service", ["ActiveState": "activating", "SubState": "auto-restart"],
                "error units.heartbeat-consumer@2"
            ),
            ("heartbeat-producer.service", ["ActiveState": "inactive"], "warning units.heartbeat-producer"),
            (
                "heartbeat-producer.service", ["ActiveState": "inactive", "UnitFileState": "disabled"], ""
            ),
            ("heartbeat-producer.service", ["LoadState": "masked", "ActiveState": "inactive"], ""),
            ("heartbeat-producer.service", ["NeedDaemonReload": "yes"], "warning units.reload"),
            ("heartbeat-maintenance.service", ["ActiveState": "inactive"], ""),
            ("heartbeat-maintenance.service", ["ActiveState": "failed"], "error units.heartbeat-maintenance"),
            ("heartbeat-maintenance.timer", ["ActiveState": "inactive"], "warning units.heartbeat-maintenance"),
        ])
    func faults(name: String, changes: [String: String], expected: String) {
        let found = Self.checks(name, changes)
        #expect(found.map { "\($0.verdict) \($0.name)" }.joined(separator: " ") == expected)
    }

    @Test("a failed unit's line says how it ended")
    func result() {
        let found = Self.checks(
            "heartbeat-consumer.service",
            ["ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "78"])
        #expect(found.first?.text == "it has failed (exit-code, status 78)")
    }

    @Test("without systemd, or without the package, units are skipped")
    func absent() {
        #expect(UnitChecks(nil).checks.map(\.verdict) == [.skipped])
        let missing = Self.unit("heartbeat.target", ["LoadState": "not-found"])
        #expect(UnitChecks([missing]).checks.map(\.verdict) == [.skipped])
    }

    @Test("blocks of systemctl show are read, whatever a value has")
    func read() {
        let units = UnitChecks.units("Id=a.service\nActiveState=active\nResult=a=b\n\nId=b.service\n")
        #expect(units.map(\.name) == ["a.service", "b.service"])
        #expect(units[0].properties["Result"] == "a=b")
    }
}
