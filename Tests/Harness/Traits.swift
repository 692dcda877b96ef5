import Synchronization
import Testing

/// Gives a suite a PostgreSQL cluster, and ends it with the suite.
package struct PrivatePostgreSQLTrait: SuiteTrait, TestScoping {
    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await PrivatePostgreSQL()
        try await PrivatePostgreSQL.$current.withValue(cluster) { try await function() }
        try await cluster.stop(.fast)
    }
}

/// Gives each test a folder for its files, and shows its processes' logs when the test fails.
package struct OwnFolderTrait: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let folder = try TestFolder()
        defer { if folder.hasFailed { print(folder.logs() + (PrivatePostgreSQL.current?.logTail ?? "")) } }
        try await TestFolder.$current.withValue(folder) {
            do {
                try await function()
            } catch {
                folder.hasFailed = true
                throw error
            }
        }
    }
}

/// Lets only so many tests of a suite run at the same time.
package struct TurnsTrait: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }
    fileprivate let turns: Turns

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await turns.begin()
        defer { turns.end() }
        try await function()
    }
}

/// So many turns at a time; whoever comes later waits.
private final class Turns: Sendable {
    private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(_ count: Int) { state = Mutex((count, [])) }

    func begin() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free == 0 { state.waiting.append(continuation) }
                defer { state.free = max(0, state.free - 1) }
                return state.free > 0
            }
            if isFree { continuation.resume() }
        }
    }

    func end() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

extension Trait where Self == TurnsTrait {
    /// Only so many tests of the suite at the same time.
    package static func atMost(_ count: Int) -> Self { Self(turns: Turns(count)) }
}

extension Trait where Self == PrivatePostgreSQLTrait {
    /// A PostgreSQL cluster for the suite: `PrivatePostgreSQL.current`.
    package static var privatePostgreSQL: Self { Self() }
}

extension Trait where Self == OwnFolderTrait {
    /// A folder for each test: `TestFolder.current`.
    package static var ownFolder: Self { Self() }
}

extension Trait where Self == IssueHandlingTrait {
    /// Lets a test that fails show the logs.
    package static var logsOnFailure: Self {
        compactMapIssues { issue in
            TestFolder.current?.hasFailed = true
            return issue
        }
    }
}
