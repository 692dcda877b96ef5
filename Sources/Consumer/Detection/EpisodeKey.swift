import HeartRate

/// Which episode it is, however it stands: the key of the table `episodes`.
struct EpisodeKey: Hashable {
    private let customerID: String
    private let kind: EpisodeKind
    private let openedAt: Instant

    init(_ customerID: String, _ episode: Episode) {
        (self.customerID, kind, openedAt) = (customerID, episode.kind, episode.openedAt)
    }
}
