internal import Synchronization

/// Says on the terminal that something takes its time, and how far it is: from its third second on, in one line of standard
/// error that is removed at its end. Nothing is written where standard error is no terminal.
public final class TerminalProgress: Sendable {
    private static let patience = Duration.seconds(2)
    private static let pace = Duration.milliseconds(500)
    /// Whether the cursor stands in a line of ours.
    private static let isLineOpen = Mutex(false)

    private let what: String
    private let state = Mutex("")
    private let ended = Latch()
    private let isVisible = Terminal.isErrorOutput && !standardErrorIsJournal()

    private init(_ what: String) { self.what = what }

    /// Does something that may take long.
    ///
    /// - Parameters:
    ///   - what: what is done: `counting the stored messages`.
    ///   - body: can tell how far it is.
    public static func during<Result: ~Copyable>(
        _ what: String, _ body: (TerminalProgress) throws -> Result
    ) throws -> Result {
        let progress = TerminalProgress(what)
        let thread = progress.isVisible ? try WorkThread(name: "progress") { progress.show() } : nil
        defer {
            progress.ended.open()
            thread?.join()
        }
        return try body(progress)
    }

    /// Says how far it is: `300 of 1000 rows`. Cheap where nobody sees it.
    public func tell(_ text: @autoclosure () -> String) {
        guard isVisible else { return }
        let text = text()
        state.withLock { $0 = text }
    }

    private func show() {
        let start = ContinuousClock.now
        guard !ended.wait(for: Self.patience) else { return }
        repeat {
            let seconds = Int((ContinuousClock.now - start) / .seconds(1))
            let far = state.withLock { $0 }
            let line = "\(what): \(far)\(far.isEmpty ? "" : ", ")\(seconds) s"
            Self.isLineOpen.withLock { isOpen in
                isOpen = true
                writeToTerminal(Terminal.startOfLine + line)
            }
        } while !ended.wait(for: Self.pace)
        Self.isLineOpen.withLock { isOpen in
            isOpen = false
            writeToTerminal(Terminal.startOfLine)
        }
    }

    /// Writes a line to standard error; the line of a progress makes room for it, and comes back below.
    static func makingRoom(_ write: () -> Void) {
        isLineOpen.withLock { isOpen in
            if isOpen { writeToTerminal(Terminal.startOfLine) }
            isOpen = false
            write()
        }
    }
}
