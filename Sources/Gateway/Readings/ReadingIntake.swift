internal import FHIR
internal import HTTPTypes

/// Takes the readings of a request: counts them, has them judged, and returns when Kafka has acknowledged them.
struct ReadingIntake: Sendable {
    let tokens: Tokens
    let publisher: Publisher
    let metrics: GatewayMetrics

    /// The most readings of one request.
    static let most = 10_000

    /// - Parameters:
    ///   - isAtomic: whether nothing is taken when something is rejected.
    ///   - judge: says which readings are taken.
    /// - Throws: `Refusal` or `Problem` when they are too many; `PublishingFailure` when Kafka has not acknowledged them.
    func take(
        _ count: Int, of token: Token, isAtomic: Bool = false, judge: () -> ReadingJudge.Verdict
    ) async throws -> ReadingJudge.Verdict {
        guard count <= Self.most else {
            throw Refusal(.contentTooLarge, as: .tooLong, "expected at most \(Self.most) readings in a request")
        }
        try tokens.count(count, of: token)
        let verdict = judge()
        metrics.count(rejected: verdict.rejected.count)
        if isAtomic, !verdict.rejected.isEmpty { return verdict }
        do {
            try await publisher.publish(verdict.messages)
        } catch {
            metrics.count(unacknowledged: verdict.messages.count)
            throw error
        }
        metrics.count(accepted: verdict.messages.count)
        return verdict
    }
}
