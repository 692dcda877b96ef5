import FoundationEssentials

/// Whether systemd runs what it should.
struct UnitChecks {
    /// What `systemctl show` has of a unit.
    struct Unit: Equatable {
        /// The properties by name.
        let properties: [String: String]

        var name: String { properties["Id"] ?? "" }
        var isLoaded: Bool { properties["LoadState"] == "loaded" }
        var isMasked: Bool { properties["LoadState"] == "masked" }
        var state: String { properties["ActiveState"] ?? "" }
        var isEnabled: Bool { properties["UnitFileState"] == "enabled" }
        var isActive: Bool { ["active", "reloading", "activating"].contains(state) && !isRestarting }
        /// Waiting to be started again, after it ended with an error.
        var isRestarting: Bool { properties["SubState"] == "auto-restart" }
        var hasFailed: Bool { state == "failed" || isRestarting }
        /// Why it failed: `exit-code, status 78`.
        var result: String {
            let status = properties["ExecMainStatus"] ?? "0"
            return (properties["Result"] ?? "unknown") + (status == "0" ? "" : ", status \(status)")
        }
        /// Whether systemd has looked, and its conditions are not given here.
        var isLeftOut: Bool {
            properties["Result"] == "exec-condition"
                || properties["ConditionResult"] == "no" && properties["ConditionTimestampMonotonic"] ?? "0" != "0"
        }
        var needsReload: Bool { properties["NeedDaemonReload"] == "yes" }
    }

    private static let properties =
        "Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,NeedDaemonReload,ConditionResult,"
        + "ConditionTimestampMonotonic"
    private static let target = "heartbeat.target"
    private static let timer = "heartbeat-maintenance.timer"
    private static let maintenance = "heartbeat-maintenance.service"
    private static let daemons = ["producer", "gateway", "consumer", "dashboard", "database"].map {
        "heartbeat-\($0).service"
    }

    private let units: [Unit]?

    /// - Parameter units: nil without systemd.
    init(_ units: [Unit]?) { self.units = units }

    /// Asks systemd.
    init() {
        guard FileManager.default.fileExists(atPath: "/run/systemd/system") else {
            self.init(nil)
            return
        }
        let names = [Self.target, Self.timer, Self.maintenance] + Self.daemons + ["heartbeat-consumer@*.service"]
        let answer = Program("systemctl", "show", "--property=\(Self.properties)", "--").with(names).run()
        self.init(answer.map { Self.units($0.output) })
    }

    /// Reads what `systemctl show` writes: blocks of `Name=value`.
    static func units(_ text: String) -> [Unit] {
        text.split(separator: "\n\n").map { block in
            let pairs = block.split(separator: "\n").compactMap { line -> (String, String)? in
                guard let end = line.firstIndex(of: "=") else { return nil }
                return (String(line[..<end]), String(line[line.index(after: end)...]))
            }
            return Unit(properties: Dictionary(pairs) { $1 })
        }
    }

    var checks: [Check] {
        guard let units else { return [.skipped("units", "systemd does not run here")] }
        guard let target = units.first(where: { $0.name == Self.target }), target.isLoaded || target.isMasked else {
            return [.skipped("units", "the package's units are not installed")]
        }
        let daemons = units.filter { unit in
            unit.isLoaded && unit.name.hasSuffix(".service") && unit.name != Self.maintenance
        }
        return [boot(target), running(target), reload(units)] + daemons.map { daemon($0, target) }
            + [maintenance(units, target)]
    }

    private func boot(_ target: Unit) -> Check {
        let name = "units.boot"
        guard target.isEnabled else {
            return .warning(
                name, "heartbeat.target is not enabled: nothing starts at the next boot",
                remedy: "systemctl enable heartbeat.target")
        }
        return .ok(name, "heartbeat.target is enabled")
    }

    private func running(_ target: Unit) -> Check {
        let name = "units.target"
        guard target.isActive else {
            return .warning(name, "heartbeat.target is \(target.state)", remedy: "systemctl start heartbeat.target")
        }
        return .ok(name, "heartbeat.target is active")
    }

    private func reload(_ units: [Unit]) -> Check {
        let name = "units.reload"
        let stale = units.filter(\.needsReload).map(\.name)
        guard stale.isEmpty else {
            return .warning(
                name, "changed since systemd has read them: " + stale.joined(separator: ", "),
                remedy: "systemctl daemon-reload")
        }
        return .ok(name, "systemd has read all units")
    }

    private func daemon(_ unit: Unit, _ target: Unit) -> Check {
        let name = "units." + unit.name.dropLast(".service".count)
        if unit.hasFailed {
            return .error(
                name, "it has failed (\(unit.result))",
                remedy: "journalctl -x -u \(unit.name) has the cause; then systemctl restart \(unit.name)")
        }
        // The database's setup does nothing when the server is elsewhere.
        if !unit.isActive, unit.isEnabled, target.isActive, !unit.isLeftOut {
            return .warning(name, "enabled, but \(unit.state)", remedy: "systemctl start \(unit.name)")
        }
        return .ok(name, unit.state)
    }

    private func maintenance(_ units: [Unit], _ target: Unit) -> Check {
        let name = "units.heartbeat-maintenance"
        if let service = units.first(where: { $0.name == Self.maintenance }), service.hasFailed {
            return .error(
                name, "the last run has failed (\(service.result))",
                remedy: "journalctl -x -u \(Self.maintenance) has the cause; then systemctl start \(Self.maintenance)")
        }
        guard let timer = units.first(where: { $0.name == Self.timer }) else {
            return .skipped(name, "it is not installed")
        }
        guard timer.isActive || !target.isActive else {
            return .warning(
                name, "its timer is \(timer.state): no partitions are made, and no old days dropped",
                remedy: "systemctl enable --now \(Self.timer)")
        }
        return .ok(name, "its timer is \(timer.state)")
    }
}
