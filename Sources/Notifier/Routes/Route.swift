internal import HeartRate

/// What one receiver is told of.
struct Route: Sendable, Equatable {
    let receiver: String
    /// The lowest severity.
    var severity = Severity.low
    /// nil for all.
    var kinds: Set<EpisodeKind>?
    /// The customer has to be in one of these groups; nil for all customers, also those without a group.
    var groups: Set<String>?
    var events = Set(EpisodeEvent.Event.recorded)
    /// When it leads nowhere.
    var quiet: QuietHours?

    /// Whether it is for this event's customer, kind and event, whatever its severity is.
    func isFor(_ event: EpisodeEvent) -> Bool {
        events.contains(event.event) && kinds.map { $0.contains(event.kind) } ?? true
            && groups.map { !$0.isDisjoint(with: event.groups) } ?? true
    }
}
