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

    /// The open files that a number of live pages need.
    static func files(viewers: Int) -> Int { viewers + others + files }

    /// What is asked for and cannot be had; nil when it can.
    ///
    /// - Parameters:
    ///   - viewers: how many live pages are wanted.
    ///   - setting: the setting that says so.
    func remark(viewers wanted: Int, setting: String) -> String? {
        guard viewers < wanted else { return nil }
        return """
            \(setting): there can be \(viewers) live pages, since the limit of open files is too low: raise it to \
            \(Self.files(viewers: wanted)) (LimitNOFILE= of the unit, "ulimit -n")
            """
    }
}
