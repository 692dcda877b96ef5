import HeartRate

/// What the detectors found in a batch: what is written with it, and what is told when it is.
struct Findings {
    /// An episode and whose it is.
    struct Found {
        let customerID: String
        var episode: Episode
        /// By how many milliseconds the sensor's clock is behind.
        var behind: Int64 = 0
    }

    /// Customers without readings in the batch whose state has changed, since their silence was judged.
    var silent: Set<String> = []
    /// How many readings were not judged, since they were not later than one before.
    var late = 0
    /// How many readings have a time stamp that is far ahead, and wait for another one.
    var ahead = 0
    /// The readings that are marked as suspect, by their numbers.
    var suspect: [Int] = []
    /// Customers whose clock was set back.
    var restarted: [String] = []
    /// Customers whose clock is behind, by how many milliseconds.
    var behind: [String: Int64] = [:]
    /// Customers whose state could not be read: their open episodes would never close.
    var forgotten: [String] = []
    /// Every episode that is new or has changed, once, as it stands.
    private(set) var episodes: [Found] = []
    /// What became of episodes, in order.
    private(set) var changes: [CustomerEpisode] = []
    /// Where the current customer's episodes begin.
    private var start = 0
    private var currentBehind: Int64 = 0

    /// Whether a batch without messages has nothing to write.
    var isEmpty: Bool { episodes.isEmpty && silent.isEmpty }

    /// Says that what comes next is another customer's, whose sensor's clock is behind by some milliseconds.
    mutating func beginCustomer(behind: Int64 = 0) {
        start = episodes.count
        currentBehind = behind
    }

    /// Notes that the state has changed of somebody of whom the batch has no reading.
    mutating func addSilent(_ id: ArraySlice<UInt8>) { silent.insert(String(decoding: id, as: UTF8.self)) }

    /// Adds what was found in the batch behind: of an episode in both how it stands after that.
    mutating func add(_ later: Findings) {
        silent.formUnion(later.silent)
        late += later.late
        ahead += later.ahead
        suspect += later.suspect
        restarted += later.restarted
        behind.merge(later.behind) { $1 }
        forgotten += later.forgotten
        let changed = Set(later.episodes.map { EpisodeKey($0.customerID, $0.episode) })
        episodes.removeAll { changed.contains(EpisodeKey($0.customerID, $0.episode)) }
        episodes += later.episodes
        changes += later.changes
    }

    /// Notes how an episode stands.
    mutating func note(_ episode: Episode, of customerID: @autoclosure () -> String, _ change: EpisodeChange? = nil) {
        var found = Found(customerID: "", episode: episode, behind: currentBehind)
        let known = episodes[start...].firstIndex {
            $0.episode.kind == episode.kind && $0.episode.openedAt == episode.openedAt
        }
        if let known {
            episodes[known].episode = episode
            found = episodes[known]
        } else {
            found = Found(customerID: customerID(), episode: episode, behind: currentBehind)
            episodes.append(found)
        }
        if let change {
            changes.append(
                CustomerEpisode(customerID: found.customerID, episode: episode, change: change, behind: currentBehind))
        }
    }
}
