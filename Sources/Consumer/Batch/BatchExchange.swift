import Daemon
import Kafka

/// The two batches between the intake thread, which fills one, and the writer thread, which writes the other.
///
/// There is no timer: the writer takes what has gathered as soon as it is free, however little, and the intake thread
/// waits when the batch is full. Both waits are all the back-pressure there is.
final class BatchExchange: Sendable {
    /// Why the writer could not write a batch and dropped it.
    enum Refusal: Sendable {
        /// Another consumer owns these partitions now.
        case fenced(partitions: [Int32])
        /// The database refuses the data of a batch; how many messages it has, and its last one.
        case data(messages: Int, last: (partition: Int32, offset: Int64), cause: String)
    }

    /// What the writer has to do next.
    enum Job {
        case locate(LocateRequest)
        case readStored(StoredRequest)
        case write
        case nothing
        case stop
    }

    /// What an append found.
    enum Room {
        case free
        case full
        /// The gathering batch cannot be written: `refusal` says why.
        case refused
    }

    private struct Contents: ~Copyable {
        var gathering = Batch()
        var mostRows: Int
        /// Less than `mostRows` while the one message is searched for that the database refuses.
        var rows: Int
        var isWriting = false
        var isStopped = false
        var epoch = 0
        var request: LocateRequest?
        var positions: [Position]?
        var storedRequest: StoredRequest?
        var stored: [Int32: Int64]?
        var refusal: Refusal?
        var committed: [Int32: Int64] = [:]
        var storedTimes: [Int32: Int64] = [:]
        var detection: DetectionSettings
        var isSilenceDue = false
        var silence: SilenceMoment?

        var room: Room {
            if refusal != nil { return .refused }
            return gathering.count >= rows || gathering.byteCount >= mostBytes ? .full : .free
        }
    }

    /// A batch is full beyond this, so that large rejected messages cannot fill the memory.
    private static let mostBytes = 8 << 20

    private let contents: Monitor<Contents>

    init(mostRows: Int, detection: DetectionSettings = DetectionSettings()) {
        contents = Monitor(Contents(mostRows: mostRows, rows: mostRows, detection: detection))
    }

    // MARK: - The intake thread

    /// Adds to the gathering batch.
    func gather(_ body: (inout Batch) -> Void) -> Room {
        let (room, isWriterFree) = contents.withLock { contents in
            if contents.refusal == nil { body(&contents.gathering) }
            return (contents.room, !contents.isWriting)
        }
        if isWriterFree { contents.wakeAll() }
        return room
    }

    /// Waits until the writer has taken the full batch.
    func waitForRoom(milliseconds: Int) -> Room {
        contents.wait(milliseconds: milliseconds) { contents in
            contents.room == .full ? nil : contents.room
        } ?? .full
    }

    /// Waits until nothing is gathered or being written.
    ///
    /// - Returns: false when the time is over, or when the batch was refused.
    func waitUntilWritten(milliseconds: Int) -> Bool {
        contents.wait(milliseconds: milliseconds) { contents in
            if contents.refusal != nil { return false }
            return contents.gathering.isEmpty && !contents.isWriting ? true : nil
        } ?? false
    }

    /// Drops what has gathered, and what is being written unless the database has it already.
    func abandon() {
        contents.withLock { contents in
            contents.epoch += 1
            contents.gathering.start(at: [])
            contents.request = nil
            contents.positions = nil
            contents.refusal = nil
            contents.committed = [:]
            contents.storedTimes = [:]
            contents.isSilenceDue = false
            contents.silence = nil
        }
        contents.wakeAll()
    }

    /// Asks the writer where to go on.
    func locate(_ request: LocateRequest) {
        contents.withLock { $0.request = request }
        contents.wakeAll()
    }

    /// The answer to `locate`; the gathering batch is ready for these positions then.
    func takePositions(waitingMilliseconds: Int) -> [Position]? {
        contents.wait(milliseconds: waitingMilliseconds) { contents in
            guard let positions = contents.positions else { return nil }
            contents.positions = nil
            contents.gathering.start(at: positions)
            for position in positions { contents.committed[position.partition] = position.offset }
            return positions
        }
    }

    /// Asks the writer for the next offset of every partition of the topic that the database knows.
    ///
    /// - Returns: the answer to the question before; nil as long as there is none.
    func readStored(_ request: StoredRequest) -> [Int32: Int64]? {
        let stored = contents.withLock { contents in
            defer { contents.stored = nil }
            contents.storedRequest = request
            return contents.stored
        }
        contents.wakeAll()
        return stored
    }

    /// Why the last batch was dropped, if it was.
    var refusal: Refusal? { contents.withLock { $0.refusal } }

    /// One past the last offset that the database has, by partition.
    var committed: [Int32: Int64] { contents.withLock { $0.committed } }

    /// `committed`, and Kafka's time stamp of the last stored message in milliseconds since 1970 where it is known.
    var stored: (committed: [Int32: Int64], times: [Int32: Int64]) {
        contents.withLock { ($0.committed, $0.storedTimes) }
    }

    /// Changes the most rows of a batch.
    func setMostRows(_ rows: Int) {
        contents.withLock { contents in
            contents.mostRows = rows
            contents.rows = rows
        }
    }

    /// Has the next batches judged by these rules and limits.
    func setDetection(_ detection: DetectionSettings) { contents.withLock { $0.detection = detection } }

    /// Whether some customer was silent for so long that it has to be asked whether Kafka has something from them.
    var isSilenceDue: Bool { contents.withLock { $0.isSilenceDue } }

    /// Has the silence of customers judged.
    func judgeSilence(_ moment: SilenceMoment) {
        contents.withLock { contents in
            contents.silence = moment
            contents.isSilenceDue = false
        }
        contents.wakeAll()
    }

    /// Makes the next batches smaller; each that is written doubles the size again.
    func narrow(to rows: Int) { contents.withLock { $0.rows = rows } }

    /// Ends the writer after what it is writing now.
    func stop() {
        contents.withLock { $0.isStopped = true }
        contents.wakeAll()
    }

    // MARK: - The writer thread

    /// Waits for the next job; `batch` has the rows when it is `.write`.
    func next(into batch: inout Batch, milliseconds: Int) -> Job {
        let job = contents.wait(milliseconds: milliseconds) { contents -> Job? in
            if contents.isStopped { return .stop }
            if let request = contents.request {
                contents.request = nil
                batch.epoch = contents.epoch
                return .locate(request)
            }
            if let request = contents.storedRequest {
                contents.storedRequest = nil
                batch.epoch = contents.epoch
                return .readStored(request)
            }
            guard contents.refusal == nil, !contents.gathering.isEmpty || contents.silence != nil else { return nil }
            swap(&contents.gathering, &batch)
            // The positions stay the same until the next assignment.
            contents.gathering.start(like: batch)
            contents.isWriting = true
            batch.epoch = contents.epoch
            batch.detection = contents.detection
            batch.silence = contents.silence
            if contents.silence != nil { batch.hold(contents.committed) }
            contents.silence = nil
            return .write
        }
        if case .write? = job { contents.wakeAll() }
        return job ?? .nothing
    }

    /// By which detection goes on.
    var detection: DetectionSettings { contents.withLock { $0.detection } }

    /// Says that a customer is silent for longer than usual, as far as the writer knows.
    func tellSilenceDue() { contents.withLock { $0.isSilenceDue = true } }

    /// Whether a job of this epoch still has to be done.
    func isCurrent(_ epoch: Int) -> Bool { contents.withLock { !$0.isStopped && $0.epoch == epoch } }

    /// Sleeps, but not beyond the moment from which the job need not be done any more.
    ///
    /// - Returns: whether it still has to be done.
    func sleep(milliseconds: Int, while epoch: Int) -> Bool {
        contents.wait(milliseconds: milliseconds) { $0.isStopped || $0.epoch != epoch ? true : nil } == nil
    }

    /// Answers `locate`.
    func answer(_ positions: [Position], epoch: Int) {
        contents.withLock { if $0.epoch == epoch { $0.positions = positions } }
        contents.wakeAll()
    }

    /// Answers `readStored`.
    func answer(stored: [Int32: Int64]) { contents.withLock { $0.stored = stored } }

    /// Says how the batch ended: written, or refused, or dropped since nobody wants it any more.
    func finish(_ batch: borrowing Batch, _ refusal: Refusal? = nil, isWritten: Bool) {
        contents.withLock { contents in
            contents.isWriting = false
            guard contents.epoch == batch.epoch else { return }
            if isWritten {
                contents.rows = min(contents.mostRows, contents.rows * 2)
                for progress in batch.progress where progress.expected >= 0 {
                    contents.committed[progress.partition] = progress.next
                    if progress.timestamp >= 0 { contents.storedTimes[progress.partition] = progress.timestamp }
                }
            }
            contents.refusal = refusal
        }
        contents.wakeAll()
    }
}
