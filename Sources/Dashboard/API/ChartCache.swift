import Hummingbird
internal import NIOCore
internal import Synchronization

/// Charts for all viewers: each is asked for once in some seconds, however many want it.
///
/// What came since is in the events, which repeat the last seconds.
actor ChartCache {
    private var answers: [Int: (at: ContinuousClock.Instant, task: Task<ByteBuffer, any Error>)] = [:]

    /// The answer for so many minutes, from `make` unless there is one that is young enough.
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

/// The places for exports, of which a few go on at a time: each can last long.
final class Exports: Sendable {
    /// A place; it is given back when this value goes, at the latest.
    final class Place: Sendable {
        private let exports: Exports
        private let isTaken = Mutex(true)

        fileprivate init(_ exports: Exports) { self.exports = exports }

        deinit { leave() }

        /// Gives it back.
        func leave() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { exports.taken.withLock { $0 -= 1 } }
        }
    }

    private let taken = Mutex(0)
    private static let most = 4

    /// - Throws: `Problem` when there is none left.
    func take() throws(Problem) -> Place {
        let isFree = taken.withLock { taken in
            guard taken < Self.most else { return false }
            taken += 1
            return true
        }
        guard isFree else { throw Problem.busy(.tooManyRequests, "too many exports at once", seconds: 10) }
        return Place(self)
    }
}
