import Daemon
import FoundationEssentials
import PostgreSQL
import Schema
import Synchronization

/// What limits a session with PostgreSQL: the server is asked again and again what that session does, and the system how busy
/// this machine's processors are.
final class SessionWatch: Sendable {
    private struct Looks {
        var total = 0
        var counts: [String: Int] = [:]
        /// Ticks of all processors while it looked.
        var busy = 0.0
        var all = 0.0
        /// Where the ticks stood when it began to look.
        var before: (busy: Double, all: Double)?
    }

    private let state = Mutex(Looks())
    private let isLooking = Atomic(false)
    private let ended = Latch()
    private let thread = Mutex<WorkThread?>(nil)

    /// Does not look yet.
    ///
    /// - Parameters:
    ///   - application: the session's `application_name`.
    ///   - parameters: libpq's keywords.
    init(on application: String, _ parameters: [String: String]) throws {
        let connection = try PostgreSQLConnection(parameters, .benchmark)
        let started = try WorkThread(name: "watch") { [weak self] in
            while let self, !ended.wait(for: .milliseconds(10)) { look(application, connection) }
        }
        thread.withLock { $0 = started }
    }

    /// Looks from now on.
    func begin() {
        state.withLock { $0.before = Self.ticks() }
        isLooking.store(true, ordering: .releasing)
    }

    /// Does not look until the next `begin`.
    func pause() {
        isLooking.store(false, ordering: .releasing)
        let now = Self.ticks()
        state.withLock { looks in
            if let before = looks.before, let now {
                looks.busy += now.busy - before.busy
                looks.all += now.all - before.all
            }
            looks.before = nil
        }
    }

    /// Ends it.
    ///
    /// - Parameter others: what the session waits for when it waits for its client.
    /// - Returns: what was the limit, in words.
    func end(waitingFor others: String) -> String {
        pause()
        ended.open()
        thread.withLock { $0 }?.join()
        let looks = state.withLock { $0 }
        guard looks.total >= 10 else { return "not known: it was over too soon" }
        func percent(_ activity: String) -> Int { 100 * (looks.counts[activity] ?? 0) / looks.total }
        let (working, disk, client) = (percent("working"), percent("disk"), percent("client"))
        let most = max(working, disk, client)
        let limit = most == client ? others : most == disk ? "PostgreSQL's disk" : "PostgreSQL's session"
        let processors = looks.all > 0 ? "; processors \(Int(100 * looks.busy / looks.all)) % busy" : ""
        return """
            \(limit) (session: \(working) % working, \(disk) % disk, \(client) % waiting for its client\(processors))
            """
    }

    private func look(_ application: String, _ connection: PostgreSQLConnection) {
        guard isLooking.load(ordering: .acquiring) else { return }
        let found = try? connection.query(
            """
            SELECT CASE WHEN state <> 'active' OR wait_event_type = 'Client' THEN 'client'
                        WHEN wait_event_type IS NULL THEN 'working'
                        WHEN wait_event_type = 'IO' OR wait_event LIKE 'WAL%' THEN 'disk'
                        ELSE 'other' END AS activity
              FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
             ORDER BY state = 'active' DESC LIMIT 1
            """, [application], unableTo: "look at the sessions"
        ).map { row throws(PostgreSQLError) -> String in try row["activity"] }
        guard let activity = found?.first else { return }
        state.withLock { looks in
            looks.total += 1
            looks.counts[activity, default: 0] += 1
        }
    }

    /// Ticks in which this machine's processors did something, and all of them: proc(5), `/proc/stat`.
    private static func ticks() -> (busy: Double, all: Double)? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = text.split(separator: "\n").first
        else { return nil }
        // user nice system idle iowait irq softirq steal; the guests' are in the first two.
        let numbers = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard numbers.count == 8 else { return nil }
        let all = numbers.reduce(0, +)
        return (all - numbers[3] - numbers[4], all)
    }
}
