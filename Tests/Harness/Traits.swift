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
