import Daemon

/// Runs a task to its end; the calling thread waits, as the main one may.
///
/// - Throws: what the task throws.
func waitForTask<Answer: Sendable>(_ body: @escaping @Sendable () async throws -> Answer) throws -> Answer {
    let outcome = Monitor<Result<Answer, any Error>?>(nil)
    Task {
        let result: Result<Answer, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        outcome.withLock { $0 = result }
        outcome.wakeAll()
    }
    while true {
        if let result = outcome.wait({ $0 }) { return try result.get() }
    }
}

/// Does what blocks, as libpq's and librdkafka's calls, on a thread of its own while the task waits.
///
/// - Parameters:
///   - name: the thread's.
///   - stop: is asked to stop when the task is cancelled; `body` looks at it.
/// - Throws: what `body` throws.
func onThread<Answer: Sendable>(
    _ name: String, stoppedBy stop: StopSignal, _ body: @escaping @Sendable () throws -> Answer
) async throws -> Answer {
    try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try WorkThread(name: name) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    } onCancel: {
        stop.request()
    }
}
