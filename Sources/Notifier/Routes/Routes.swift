internal import HeartRate

/// Who is told of what.
struct Routes: Sendable, Equatable {
    var receivers: [Receiver] = []
    var routes: [Route] = []

    /// The zones of the quiet hours.
    var zones: Set<String> { Set(routes.compactMap { $0.quiet?.zone }) }

    /// The names of those who are told of an event, in the order of the file.
    ///
    /// - An event that raises an alarm goes where a route leads that is for its severity and not quiet now.
    /// - Any other goes to whoever was told of the episode: who was woken by an alarm hears of its end, whatever the severity
    ///   and the hour are by then. A route for such events has to be there all the same.
    ///
    /// - Parameters:
    ///   - told: who was told of the episode before.
    ///   - minutes: the minute of the day in each zone; one that is not known has no quiet hours.
    func receivers(of event: EpisodeEvent, told: Set<String>, minutes: [String: Int]) -> [String] {
        let names = Set(
            routes.filter { route in
                guard route.isFor(event) else { return false }
                guard event.event.raisesAlarm else { return told.contains(route.receiver) }
                let isQuiet = route.quiet.map { hours in minutes[hours.zone].map(hours.contains) ?? false } ?? false
                return event.severity >= route.severity && !isQuiet
            }.map(\.receiver))
        return receivers.map(\.name).filter(names.contains)
    }
}
