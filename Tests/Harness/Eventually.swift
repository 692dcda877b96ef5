import Foundation

/// Waits until something is there. It looks again and again; the limit is only for what never comes.
///
/// - Parameter expectation: what is waited for, as a sentence for the failure.
/// - Throws: at the limit; at once when a process of this test ends by itself; whatever `look` throws.
package func first<Value>(
    _ expectation: String, within limit: Duration = .seconds(120), _ look: () throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try look() { return value }
        if let end = TestFolder.current?.unexpectedEnd {
            // It may just have happened because of what is waited for.
            if let value = try look() { return value }
            throw HarnessError("waited until \(expectation), but \(end)")
        }
        guard ContinuousClock.now < deadline else {
            throw HarnessError("waited for \(limit) until \(expectation): it never happened")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Waits until a condition holds.
package func eventually(
    _ expectation: String, within limit: Duration = .seconds(120), _ condition: () throws -> Bool
) async throws {
    try await first(expectation, within: limit) { try condition() ? () : nil }
}
