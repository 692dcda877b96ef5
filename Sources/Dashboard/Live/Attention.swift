/// What decides whether an acknowledgement still holds.
struct AlarmClock: Sendable {
    /// How old an acknowledgement is reminded of, in microseconds; nil for never.
    let remindAfter: Int64?
    /// Microseconds since 1970.
    let now: Int64

    /// Whether an acknowledgement is that old.
    func reminds(of acknowledgedAt: Int64?) -> Bool {
        guard let remindAfter, let acknowledgedAt else { return false }
        return now - acknowledgedAt >= remindAfter
    }
}

/// What an episode asks of a person.
enum Attention: String, Encodable, Sendable {
    /// Nobody has seen it as bad as it is now.
    case new
    /// Somebody has, but a while ago, and it is still as bad.
    case reminder
    /// It was of high severity, which nobody saw, and is less now.
    case eased
    /// It was of high severity, which nobody saw, and is over.
    case ended
    /// Somebody has seen it.
    case seen
    /// It is over, and asks nothing.
    case none
}
