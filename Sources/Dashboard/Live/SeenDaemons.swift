/// The daemons that this dashboard has seen: one whose file is removed has been stopped, which is not the same as never
/// having been on this machine.
struct SeenDaemons: Sendable {
    private var last: [String: Snapshot.DaemonItem] = [:]

    /// - Parameter found: the daemons of the files that there are now, and those kinds that have none.
    /// - Returns: these, and those that were there before.
    mutating func complete(_ found: [Snapshot.DaemonItem]) -> [Snapshot.DaemonItem] {
        for daemon in found where daemon.state != .absent { last[daemon.name] = daemon }
        let present = Set(found.lazy.filter { $0.state != .absent }.map(\.name))
        let stopped = last.values.filter { !present.contains($0.name) }.map { daemon in
            var daemon = daemon
            daemon.state = .stopped
            daemon.since = daemon.updatedAt
            daemon.waitingFor = []
            return daemon
        }
        let kinds = Set(stopped.map(\.kind))
        return (found.filter { $0.state != .absent || !kinds.contains($0.kind) } + stopped).sorted { $0.name < $1.name }
    }
}
