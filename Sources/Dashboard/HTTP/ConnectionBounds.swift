internal import Daemon

/// How many connections there may be, by the settings and by the limit of open files.
struct ConnectionBounds: Equatable {
    /// The most live pages.
    let viewers: Int
    /// The most connections, live pages included.
    let connections: Int

    /// Connections beside live pages.
    private static let others = 200
    /// Open files beside connections: sessions with PostgreSQL, event loops, the journal, metrics.
    private static let files = 40
    /// The least limit of open files that it starts with.
    static let leastFiles = files + 8

    /// - Parameters:
    ///   - viewers: how many live pages are wanted.
    ///   - files: how many open files the process may have.
    init(viewers: Int, files: Int) {
        connections = min(viewers + Self.others, max(2, files - Self.files))
        self.viewers = min(viewers, connections - min(Self.others, connections / 2))
    }

    init(_ settings: Settings, files: Int) { self.init(viewers: settings[.dashboardViewers], files: files) }

    /// The open files that the settings ask for.
    static func files(_ settings: Settings) -> Int { settings[.dashboardViewers] + others + files }

    /// What the settings ask for and do not get; nil when they get it all.
    func remark(_ settings: Settings) -> String? {
        guard viewers < settings[.dashboardViewers] else { return nil }
        return """
            \(settings.describe(.dashboardViewers)): there can be \(viewers) live pages, since the limit of open files is \
            too low: raise it to \(Self.files(settings)) (LimitNOFILE= of the unit, "ulimit -n")
            """
    }
}
