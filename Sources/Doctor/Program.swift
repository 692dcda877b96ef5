internal import Daemon
import Subprocess

/// Another program that the doctor asks.
struct Program {
    /// What it wrote, and whether it ended with status 0.
    struct Answer: Sendable {
        let output: String
        let isSuccess: Bool
    }

    private let words: [String]

    /// - Parameter words: its name, which is looked for on the path, and its arguments.
    init(_ words: String...) { self.words = words }

    /// The same with more arguments.
    func with(_ arguments: [String]) -> Program { Program(words + arguments) }

    private init(_ words: [String]) { self.words = words }

    /// Runs it, at most for this time, in seconds; nil when it could not be started.
    func run(within seconds: Int = 10) -> Answer? {
        let answer = Monitor<Answer??>(nil)
        let words = words
        Task {
            let found: Answer?
            do {
                // timeout(1) bounds it.
                let result = try await Subprocess.run(
                    .name("timeout"), arguments: Arguments(["\(seconds)"] + words), output: .string(limit: 1 << 20))
                found = Answer(output: result.standardOutput, isSuccess: result.terminationStatus.isSuccess)
            } catch {
                found = nil
            }
            answer.withLock { $0 = .some(found) }
            answer.wakeAll()
        }
        while true {
            if let found = answer.wait({ $0 }) { return found }
        }
    }
}
