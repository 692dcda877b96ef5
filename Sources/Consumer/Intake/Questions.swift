import Kafka

/// What others have to find out of partitions, as soon as some broker has said the cluster's id.
struct Questions {
    private let cluster: KafkaCluster
    private let topic: String
    private var clusterID: String?
    private var unlocated: [Int32] = []
    private var unexamined: [Int32] = []
    /// Whether it is not known yet where to go on.
    private(set) var isLocating = false

    init(_ cluster: KafkaCluster, topic: String) {
        self.cluster = cluster
        self.topic = topic
    }

    /// Whether the examiner has still to be asked.
    var isWaitingToExamine: Bool { !unexamined.isEmpty }

    /// The question how far the whole topic is stored, once it can be asked.
    var storedRequest: StoredRequest? { clusterID.map { StoredRequest(clusterID: $0, topic: topic) } }

    mutating func locate(_ partitions: [Int32]) {
        unlocated = partitions
        isLocating = true
    }

    mutating func examine(_ partitions: [Int32]) { unexamined += partitions }

    /// The writer has answered where to go on, or nobody wants to know any more.
    mutating func endLocating() {
        unlocated = []
        isLocating = false
    }

    /// For other partitions: nobody wants to know anything of the old ones.
    mutating func forgetExaminations() { unexamined = [] }

    /// Has the writer say where to go on, and the examiner what became of logs.
    ///
    /// - Parameter unstored: partitions of which more was read than is stored. The examiner would take that for what was never
    ///   read, so it does not look into them yet.
    mutating func ask(_ exchange: BatchExchange, _ examinations: Examinations, unstored: [Int32]) {
        guard !unlocated.isEmpty || !unexamined.isEmpty else { return }
        if clusterID == nil { clusterID = cluster.id(withinMilliseconds: 0) }
        guard let clusterID else { return }
        func request(_ partitions: [Int32]) -> LocateRequest {
            LocateRequest(clusterID: clusterID, topic: topic, partitions: partitions)
        }
        if !unlocated.isEmpty { exchange.send(.locate(request(unlocated))) }
        unlocated = []
        let due = unexamined.filter { !unstored.contains($0) }
        guard !due.isEmpty else { return }
        examinations.examine(request(due))
        unexamined.removeAll { due.contains($0) }
    }
}
