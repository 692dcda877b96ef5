import Daemon
import Kafka

/// The two batches between the intake thread, which fills one, and the writer thread, which writes the other.
///
/// There is no timer: the writer takes what has gathered as soon as it is free, however little, and the intake thread
/// waits when the batch is full. Both waits are all the back-pressure there is.
final class BatchExchange: Sendable {
    /// The question where to go on, for the writer, since it owns the session with the database.
    struct LocateRequest: Sendable {
        let clusterID: String
        let topic: String
        let watermarks: [Int32: Watermarks]
    }

    /// The question how far the whole topic is stored.
    struct StoredRequest: Sendable {
        let clusterID: String
        let topic: String
    }

    /// Why the writer could not write a batch and dropped it.
    enum Refusal: Sendable {
        /// Another consumer owns these partitions now.
        case fenced(partitions: [Int32])
        /// The database refuses the data of a batch of so many messages, the last of which is this.
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
        /// The gathering batch can not be written: `refusal` says why.
        case refused
    }

    private struct State: ~Copyable {
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

    /// A batch is full beyond this, so that large rejected messages can not fill the memory.
    private static let mostBytes = 8 << 20

    private let state: Monitor<State>

    init(mostRows: Int, detection: DetectionSettings = DetectionSettings()) {
        state = Monitor(State(mostRows: mostRows, rows: mostRows, detection: detection))
    }

    // MARK: - The intake thread

    /// Adds to the gathering batch.
    func gather(_ body: (inout Batch) -> Void) -> Room {
        let (room, isWriterFree) = state.withLock { state in
            if state.refusal == nil { body(&state.gathering) }
            return (state.room, !state.isWriting)
        }
        if isWriterFree { state.wakeAll() }
        return room
    }

    /// Waits until the writer has taken the full batch.
    func waitForRoom(milliseconds: Int) -> Room {
        state.wait(milliseconds: milliseconds) { state in
            state.room == .full ? nil : state.room
        } ?? .full
    }

    /// Waits until nothing is gathered or being written.
    ///
    /// - Returns: false when the time is over, or when the batch was refused.
    func waitUntilWritten(milliseconds: Int) -> Bool {
        state.wait(milliseconds: milliseconds) { state in
            if state.refusal != nil { return false }
            return state.gathering.isEmpty && !state.isWriting ? true : nil
        } ?? false
    }

    /// Drops what has gathered, and what is being written unless the database has it already.
    func abandon() {
        state.withLock { state in
            state.epoch += 1
            state.gathering.start(at: [])
            state.request = nil
            state.positions = nil
            state.refusal = nil
            state.committed = [:]
            state.storedTimes = [:]
            state.isSilenceDue = false
            state.silence = nil
        }
        state.wakeAll()
    }

    /// Asks the writer where to go on.
    func locate(_ request: LocateRequest) {
        state.withLock { $0.request = request }
        state.wakeAll()
    }

    /// The answer to `locate`; the gathering batch is ready for these positions then.
    func takePositions(waitingMilliseconds: Int) -> [Position]? {
        state.wait(milliseconds: waitingMilliseconds) { state in
            guard let positions = state.positions else { return nil }
            state.positions = nil
            state.gathering.start(at: positions)
            for position in positions { state.committed[position.partition] = position.offset }
            return positions
        }
    }

    /// Asks the writer for the next offset of every partition of the topic that the database knows.
    ///
    /// - Returns: the answer to the question before; nil as long as there is none.
    func readStored(_ request: StoredRequest) -> [Int32: Int64]? {
        let stored = state.withLock { state in
            defer { state.stored = nil }
            state.storedRequest = request
            return state.stored
        }
        state.wakeAll()
        return stored
    }

    /// Why the last batch was dropped, if it was.
    var refusal: Refusal? { state.withLock { $0.refusal } }

    /// One past the last offset that the database has, by partition.
    var committed: [Int32: Int64] { state.withLock { $0.committed } }

    /// `committed`, and Kafka's time stamp of the last stored message in milliseconds since 1970 where it is known.
    var stored: (committed: [Int32: Int64], times: [Int32: Int64]) {
        state.withLock { ($0.committed, $0.storedTimes) }
    }

    /// Changes the most rows of a batch.
    func setMostRows(_ rows: Int) {
        state.withLock { state in
            state.mostRows = rows
            state.rows = rows
        }
    }

    /// Has the next batches judged by these rules and limits.
    func setDetection(_ detection: DetectionSettings) { state.withLock { $0.detection = detection } }

    /// Whether some customer was silent for so long that it has to be asked whether Kafka has something from them.
    var isSilenceDue: Bool { state.withLock { $0.isSilenceDue } }

    /// Has the silence of customers judged.
    func judgeSilence(_ moment: SilenceMoment) {
        state.withLock { state in
            state.silence = moment
            state.isSilenceDue = false
        }
        state.wakeAll()
    }

    /// Makes the next batches smaller; each that is written doubles the size again.
    func narrow(to rows: Int) { state.withLock { $0.rows = rows } }

    /// Ends the writer after what it is writing now.
    func stop() {
        state.withLock { $0.isStopped = true }
        state.wakeAll()
    }

    // MARK: - The writer thread

    /// Waits for the next job; `batch` has the rows when it is `.write`.
    func next(into batch: inout Batch, milliseconds: Int) -> Job {
        let job = state.wait(milliseconds: milliseconds) { state -> Job? in
            if state.isStopped { return .stop }
            if let request = state.request {
                state.request = nil
                batch.epoch = state.epoch
                return .locate(request)
            }
            if let request = state.storedRequest {
                state.storedRequest = nil
                batch.epoch = state.epoch
                return .readStored(request)
            }
            guard state.refusal == nil, !state.gathering.isEmpty || state.silence != nil else { return nil }
            swap(&state.gathering, &batch)
            // The positions stay the same until the next assignment.
            state.gathering.start(like: batch)
            state.isWriting = true
            batch.epoch = state.epoch
            batch.detection = state.detection
            batch.silence = state.silence
            if state.silence != nil { batch.hold(state.committed) }
            state.silence = nil
            return .write
        }
        if case .write? = job { state.wakeAll() }
        return job ?? .nothing
    }

    /// By which detection goes on.
    var detection: DetectionSettings { state.withLock { $0.detection } }

    /// Says that a customer is silent for longer than usual, as far as the writer knows.
    func tellSilenceDue() { state.withLock { $0.isSilenceDue = true } }

    /// Whether a job of this epoch still has to be done.
    func isCurrent(_ epoch: Int) -> Bool { state.withLock { !$0.isStopped && $0.epoch == epoch } }

    /// Sleeps, but not beyond the moment from which the job need not be done any more.
    ///
    /// - Returns: whether it still has to be done.
    func sleep(milliseconds: Int, while epoch: Int) -> Bool {
        state.wait(milliseconds: milliseconds) { $0.isStopped || $0.epoch != epoch ? true : nil } == nil
    }

    /// Answers `locate`.
    func answer(_ positions: [Position], epoch: Int) {
        state.withLock { if $0.epoch == epoch { $0.positions = positions } }
        state.wakeAll()
    }

    /// Answers `readStored`.
    func answer(stored: [Int32: Int64]) { state.withLock { $0.stored = stored } }

    /// Says how the batch ended: written, or refused, or dropped since nobody wants it any more.
    func finish(_ batch: borrowing Batch, _ refusal: Refusal? = nil, isWritten: Bool) {
        state.withLock { state in
            state.isWriting = false
            guard state.epoch == batch.epoch else { return }
            if isWritten {
                state.rows = min(state.mostRows, state.rows * 2)
                for progress in batch.progress where progress.expected >= 0 {
                    state.committed[progress.partition] = progress.next
                    if progress.timestamp >= 0 { state.storedTimes[progress.partition] = progress.timestamp }
                }
            }
            state.refusal = refusal
        }
        state.wakeAll()
    }
}
