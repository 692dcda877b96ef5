import Daemon
import Synchronization

/// What a command shows of the processes below it: their lines, and below these one line that stays.
final class LocalScreen: Sendable {
    private struct Drawing {
        /// The line at the bottom of the terminal; empty when there should be none.
        var live = ""
        /// Whether one is there.
        var isShown = false
        /// When the live line was last written where there is no terminal.
        var lastWritten: ContinuousClock.Instant?
        /// The last lines, of a screen that shows none.
        var kept: [String] = []
    }

    private static let mostKept = 40

    private let name: String
    private let isTerminal: Bool
    private let isHidden: Bool
    private let state = Mutex(Drawing())

    /// - Parameters:
    ///   - name: the command's own, for its notes.
    ///   - isTerminal: whether lines can be redrawn.
    ///   - isHidden: whether lines are kept instead of shown, for `lastLines`.
    init(of name: String, isTerminal: Bool, isHidden: Bool = false) {
        self.name = name
        self.isTerminal = isTerminal
        self.isHidden = isHidden
    }

    /// The last lines of a hidden screen: what there is to read when something has failed.
    var lastLines: [String] { state.withLock { $0.kept } }

    /// Adds a line of one of the processes.
    func show(_ line: String, from name: String) {
        let name = name + String(repeating: " ", count: max(0, Self.nameWidth - name.count))
        state.withLock { state in
            guard isHidden else { return draw(["\(name) | \(line)"], &state) }
            state.kept = state.kept.suffix(Self.mostKept - 1) + ["\(name) | \(line)"]
        }
    }

    /// Adds a line of the command itself.
    func note(_ line: String) { show(line, from: name) }

    /// Replaces the line at the bottom. Without a terminal it is added as a line every five seconds.
    func showLive(_ line: String) {
        guard isTerminal else {
            let isDue = state.withLock { state in
                if let last = state.lastWritten, ContinuousClock.now - last < .seconds(5) { return false }
                state.lastWritten = .now
                return true
            }
            if isDue { note(line) }
            return
        }
        state.withLock { state in
            // Without automatic wrapping a line that is too long is cut off, so that it is always one to erase.
            state.live = "\u{1b}[?7l\(line)\u{1b}[?7h"
            draw([], &state)
        }
    }

    /// Takes the line at the bottom away when the next line is shown.
    func endLive() { state.withLock { $0.live = "" } }

    private func draw(_ lines: [String], _ state: inout Drawing) {
        // Up to the live line, and clear from there on; every terminal since the VT100 knows that.
        let erasure = state.isShown ? "\u{1b}[1A\r\u{1b}[J" : ""
        state.isShown = !state.live.isEmpty
        printAtOnce(erasure + (lines + (state.isShown ? [state.live] : [])).joined(separator: "\n"))
    }

    /// The longest of the names: PostgreSQL's.
    private static let nameWidth = 10
}
