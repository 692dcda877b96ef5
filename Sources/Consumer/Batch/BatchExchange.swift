import Daemon

/// Where the intake thread, which gathers a batch, and the writer thread, which writes another, meet.
///
/// There is no timer: the writer takes what has gathered as soon as it is free, however little, and the intake waits
/// when the batch is full. Both waits are all the back-pressure there is. Everything else that the two want of each other
/// is a `Job` or a `Reply`.
///
/// What belongs to an assignment has its epoch: when the intake abandons that, the writer ends what it does for it, and
/// its replies are dropped.
final class BatchExchange: Sendable {
    /// What the gathering batch takes.
    enum Room {
        case free
        case full
        /// Nothing: the writer has refused the batch before it.
        case refused
    }

    private struct Contents: ~Copyable {
        var gathering = Batch()
        var mostRows: Int
        var isWriting = false
        var isRefused = false
        var isStopped = false
        var epoch = 0
        var jobs: [Job] = []
        var replies: [Reply] = []

        var room: Room {
            if isRefused { return .refused }
            return gathering.count >= mostRows || gathering.byteCount >= mostBytes ? .full : .free
        }
    }

    /// A batch is full beyond this, so that large rejected messages cannot fill the memory.
    private static let mostBytes = 8 << 20

    private let contents: Monitor<Contents>

    init(mostRows: Int) { contents = Monitor(Contents(mostRows: mostRows)) }

    // MARK: - The intake thread

    /// Adds to the gathering batch, unless the one before it was refused.
    @discardableResult
    func gather(_ body: (inout Batch) -> Void) -> Room {
        let (room, isWriterFree) = contents.withLock { contents in
            if !contents.isRefused { body(&contents.gathering) }
            return (contents.room, !contents.isWriting)
        }
        if isWriterFree { contents.wakeAll() }
        return room
    }

    /// Waits until the writer has taken the full batch.
    func waitForRoom(milliseconds: Int) -> Room {
        contents.wait(milliseconds: milliseconds) { contents in
            guard contents.room == .full else { return contents.room }
            // While the writer is busy with the one before.
            contents.gathering.arrange()
            return nil
        } ?? .full
    }

    /// Waits until nothing is gathered or being written.
    ///
    /// - Returns: false when the time is over, or when the batch was refused.
    func waitUntilWritten(milliseconds: Int) -> Bool {
        contents.wait(milliseconds: milliseconds) { contents in
            if contents.isRefused { return false }
            return contents.gathering.isEmpty && !contents.gathering.isLast && !contents.isWriting ? true : nil
        } ?? false
    }

    /// Changes the most rows of a batch.
    func limit(to rows: Int) { contents.withLock { $0.mostRows = rows } }

    /// Has the writer do something before the next batch.
    func send(_ job: Job) {
        contents.withLock { $0.jobs.append(job) }
        contents.wakeAll()
    }

    /// Takes what the writer has said since the last call, or waits for it.
    func replies(waitingMilliseconds: Int = 0) -> [Reply] {
        contents.wait(milliseconds: waitingMilliseconds) { contents in
            guard !contents.replies.isEmpty else { return nil }
            defer { contents.replies = [] }
            return contents.replies
        } ?? []
    }

    /// Gives the assignment up: drops what has gathered, and what is being written unless the database has it already.
    func abandon() {
        contents.withLock { contents in
            contents.epoch += 1
            contents.gathering.start(at: [])
            contents.isRefused = false
            contents.jobs.removeAll { if case .locate = $0 { true } else { false } }
            contents.replies = []
        }
        contents.wakeAll()
    }

    /// Ends the writer after what it is writing now.
    func stop() {
        contents.withLock { $0.isStopped = true }
        contents.wakeAll()
    }

    // MARK: - The writer thread

    /// Waits for the next job, and says to which epoch it belongs; `batch` has the rows when it is `.write`.
    func next(into batch: inout Batch, milliseconds: Int) -> (job: Job, epoch: Int)? {
        let next = contents.wait(milliseconds: milliseconds) { contents -> (job: Job, epoch: Int)? in
            if contents.isStopped { return (.stop, contents.epoch) }
            if !contents.jobs.isEmpty { return (contents.jobs.removeFirst(), contents.epoch) }
            guard !contents.isRefused, contents.gathering.isWanted else { return nil }
            Self.take(&contents, into: &batch)
            return (.write, contents.epoch)
        }
        if case .write? = next?.job { contents.wakeAll() }
        return next
    }

    /// Waits until the batch behind the one that is being written is full, and takes it in its place.
    ///
    /// - Parameter isWanted: whether it may be written together with the one before.
    /// - Returns: whether it was taken; nothing is taken that is not full in time, or of another epoch.
    func nextFull(
        into batch: inout Batch, epoch: Int, milliseconds: Int, _ isWanted: (borrowing Batch) -> Bool
    ) -> Bool {
        let isTaken = contents.wait(milliseconds: milliseconds) { contents -> Bool? in
            guard !contents.isStopped, contents.epoch == epoch, contents.jobs.isEmpty else { return false }
            guard contents.room != .refused, isWanted(contents.gathering) else { return false }
            guard contents.room == .full else { return nil }
            Self.take(&contents, into: &batch)
            return true
        }
        if isTaken == true { contents.wakeAll() }
        return isTaken ?? false
    }

    private static func take(_ contents: inout Contents, into batch: inout Batch) {
        let isFull = contents.room == .full
        swap(&contents.gathering, &batch)
        batch.isFull = isFull
        // The positions stay the same until the next assignment.
        contents.gathering.start(like: batch)
        contents.isWriting = true
    }

    /// Whether a job of this epoch still has to be done.
    func isCurrent(_ epoch: Int) -> Bool { contents.withLock { !$0.isStopped && $0.epoch == epoch } }

    /// Sleeps, but not beyond the moment from which the job need not be done any more.
    ///
    /// - Returns: whether it still has to be done.
    func sleep(milliseconds: Int, while epoch: Int) -> Bool {
        contents.wait(milliseconds: milliseconds) { $0.isStopped || $0.epoch != epoch ? true : nil } == nil
    }

    /// Says something to the intake, if it still wants to hear it.
    func answer(_ reply: Reply, epoch: Int) {
        contents.withLock { if $0.epoch == epoch { $0.replies.append(reply) } }
        contents.wakeAll()
    }

    /// Ends the writing of a batch.
    ///
    /// - Parameter reply: how it ended; nil when it was dropped because nobody wants it any more.
    func finish(_ reply: Reply?, epoch: Int) {
        contents.withLock { contents in
            contents.isWriting = false
            guard let reply, contents.epoch == epoch else { return }
            if case .refused = reply { contents.isRefused = true }
            contents.replies.append(reply)
        }
        contents.wakeAll()
    }
}
