/// The question where to go on, for the writer, since it owns the session with the database.
struct LocateRequest: Sendable, Equatable {
    let clusterID: String
    let topic: String
    let partitions: [Int32]
}

/// The question how far the whole topic is stored.
struct StoredRequest: Sendable {
    let clusterID: String
    let topic: String
}
