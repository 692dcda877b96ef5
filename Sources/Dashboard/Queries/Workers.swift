internal import Daemon
internal import Synchronization

/// Threads for calls that block, with a bounded queue before them.
///
/// Swift's own threads and the server's are as few as the machine has cores; a call that blocks one stops everybody.
final class Workers<Tool>: Sendable {
    /// The queue is full.
    struct Busy: Error {}

    private struct Queue {
        var jobs: [@Sendable (inout Tool) -> Void] = []
        var isStopped = false
    }

    private let queue = Monitor(Queue())
    private let mostWaiting: Int

    /// Starts the threads.
    ///
    /// - Parameter tool: makes what each thread works with, on that thread.
    init(
        _ name: String, threads: Int, mostWaiting: Int, tool: @escaping @Sendable () -> Tool
    ) throws(SystemError) {
        self.mostWaiting = mostWaiting
        for _ in 0..<threads {
            _ = try WorkThread(name: name) { [queue] in
                var tool = tool()
                while true {
                    let job = queue.wait { queue -> (@Sendable (inout Tool) -> Void)?? in
                        if !queue.jobs.isEmpty { return .some(queue.jobs.removeFirst()) }
                        return queue.isStopped ? .some(nil) : nil
                    }
                    guard let job = job ?? nil else { return }
                    job(&tool)
                }
            }
        }
    }

    /// Runs a call on one of the threads.
    ///
    /// - Throws: `Busy` when too many wait already; what the call throws.
    func run<Answer: Sendable>(_ call: @escaping @Sendable (inout Tool) throws -> Answer) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let isTaken = queue.withLock { queue in
                guard queue.jobs.count < mostWaiting, !queue.isStopped else { return false }
                queue.jobs.append { tool in continuation.resume(with: Result { try call(&tool) }) }
                return true
            }
            if isTaken { queue.wakeAll() } else { continuation.resume(throwing: Busy()) }
        }
    }

    /// Lets the threads end when the queue is empty.
    func stop() {
        queue.withLock { $0.isStopped = true }
        queue.wakeAll()
    }
}
