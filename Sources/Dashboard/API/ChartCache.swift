import Hummingbird
internal import NIOCore
internal import Synchronization

/// Charts for all viewers: each is asked for once in some seconds, however many want it.
///
/// What came since is in the events, which repeat the last seconds.
actor ChartCache {
    private var answers: [Int: (at: ContinuousClock.Instant, task: Task<ByteBuffer, any Error>)] = [:]

    /// The answer for a number of minutes, from `make` unless a recent one is there.
    func answer(_ minutes: Int, _ make: @escaping @Sendable () async throws -> ByteBuffer) async throws -> ByteBuffer {
        if let known = answers[minutes], .now - known.at < .seconds(2) { return try await known.task.value }
        let task = Task { try await make() }
        answers[minutes] = (.now, task)
        do {
            return try await task.value
        } catch {
            answers[minutes] = nil
            throw error
        }
    }
}
