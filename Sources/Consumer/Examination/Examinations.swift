import Daemon
import Kafka

/// What intake and examiner hand to each other.
final class Examinations: Sendable {
    /// What is to be done next.
    enum Examination: Equatable {
        /// Find out what became of these partitions' logs.
        case examine(LocateRequest)
        /// Look up where every log of the topic ends.
        case lookUpEnds
        /// Look up whether anybody in the group has partitions.
        case lookUpReaders
        case stop
    }

    /// Who reads the topic in the group.
    enum Readers: Equatable {
        /// Somebody has partitions; or the brokers do not say.
        case othersRead
        /// The topic is there, and no member has any of its partitions.
        case nobodyReads
        /// The group is being assigned.
        case unsettled
        /// The topic cannot be read by anybody, and why.
        case failed(String)
    }

    private struct Waiting {
        var wanted: LocateRequest?
        var wantsEnds = false
        var wantsReaders = false
        var isStopped = false
        var done: [Int32: Continuation] = [:]
        var ends: [Int32: Watermarks]?
        var readers: Readers?
    }

    private let contents = Monitor(Waiting())

    /// Has partitions examined, besides those that wait for it already.
    func examine(_ request: LocateRequest) {
        contents.withLock { contents in
            let waiting = contents.wanted?.partitions ?? []
            contents.wanted = LocateRequest(
                clusterID: request.clusterID, topic: request.topic,
                partitions: Set(waiting).union(request.partitions).sorted())
        }
        contents.wakeAll()
    }

    /// Has the ends of the topic's logs looked up.
    func lookUpEnds() {
        contents.withLock { $0.wantsEnds = true }
        contents.wakeAll()
    }

    /// Has it looked up whether anybody in the group has partitions.
    func lookUpReaders() {
        contents.withLock { contents in
            contents.wantsReaders = true
            contents.readers = nil
        }
        contents.wakeAll()
    }

    /// What was found of the group since that was asked.
    func takeReaders() -> Readers? {
        contents.withLock { contents in
            defer { contents.readers = nil }
            return contents.readers
        }
    }

    /// Where the partitions go on that were examined since the last call.
    func takeDone() -> [Int32: Continuation] {
        contents.withLock { contents in
            defer { contents.done = [:] }
            return contents.done
        }
    }

    /// Between which offsets each partition of the topic could be read when that was looked up.
    var ends: [Int32: Watermarks]? { contents.withLock { $0.ends } }

    /// Ends the examiner after what it is doing now.
    func stop() {
        contents.withLock { $0.isStopped = true }
        contents.wakeAll()
    }

    // MARK: - The examiner's thread

    func next() -> Examination {
        contents.wait { contents -> Examination? in
            if contents.isStopped { return .stop }
            if contents.wantsReaders {
                contents.wantsReaders = false
                return .lookUpReaders
            }
            if contents.wantsEnds { return .lookUpEnds }
            guard let request = contents.wanted else { return nil }
            contents.wanted = nil
            return .examine(request)
        } ?? .stop
    }

    func finish(_ done: [Int32: Continuation]) { contents.withLock { $0.done.merge(done) { $1 } } }

    func finish(_ ends: [Int32: Watermarks]) {
        contents.withLock { contents in
            contents.ends = ends
            contents.wantsEnds = false
        }
    }

    func finish(_ readers: Readers) { contents.withLock { $0.readers = readers } }

    /// Sleeps; returns whether there is still work to do.
    func sleep(milliseconds: Int) -> Bool {
        contents.wait(milliseconds: milliseconds) { $0.isStopped ? true : nil } == nil
    }
}
