import Daemon
import HeartRate
import Kafka
import Logging
import SharedSettings

/// How the intake gets on with the writer.
extension Intake {
    // MARK: - Back-pressure

    /// Waits for the writer. When that takes longer, nothing is fetched meanwhile but the group's membership lives on.
    mutating func makeRoom() throws(KafkaError) {
        if exchange.waitForRoom(milliseconds: 1000) == .full {
            try perform(assignment.handle(.paused))
            repeat {
                // It waits on purpose, and tells of it.
                try attend()
                _ = try handle(consumer.poll(milliseconds: 10))
            } while exchange.waitForRoom(milliseconds: 100) == .full && !stop.isRequested && !assignment.isEmpty
            try perform(assignment.handle(.resumed))
        }
        try takeReplies()
    }

    // MARK: - The writer

    /// Takes what the writer has said.
    mutating func takeReplies(waitingMilliseconds: Int = 0) throws(KafkaError) {
        for reply in exchange.replies(waitingMilliseconds: waitingMilliseconds) {
            switch reply {
            case .positions(let found):
                questions.endLocating()
                try perform(assignment.handle(.located(found)))
            case .written(let moved): written(moved)
            case .stored(let offsets): drain?.take(offsets)
            case .silenceDue: silence.isDue = true
            case .refused(let refusal):
                // What it said before this refusal belongs to an assignment that is given up here.
                return try startOver(refusal)
            }
        }
    }

    /// Takes only what was written, of an assignment that ends.
    mutating func noteWritten() {
        for case .written(let moved) in exchange.replies() { written(moved) }
    }

    private mutating func written(_ moved: [Batch.Progress]) {
        report.written(moved)
        batchRows = min(settings[.batchRows], batchRows * 2)
    }

    /// Reads on from where the database stands, because it has refused a batch.
    private mutating func startOver(_ refusal: Refusal) throws(KafkaError) {
        var lost: [Int32] = []
        switch refusal {
        case .fenced(let partitions):
            lost = partitions
            metrics.fenced.add()
            service.logger.report(
                .fenced, "fenced: another consumer owns partitions \(lost); nothing of them was written here",
                fields: fields(of: lost))
        case .behind(let partitions):
            service.logger.warning(
                """
                PostgreSQL lacks what was stored of partitions \(partitions), which is read again. A standby that was \
                promoted may not have had the last transactions
                """,
                metadata: fields(of: partitions))
        case .data(let messages, let last, let cause):
            batchRows = max(1, messages / 2)
            if messages == 1 { judge.refuse(last.partition, last.offset, as: .refusedByDatabase(cause)) }
        case .unfinished: break
        case .repeated(let places):
            for place in places { judge.refuse(place.partition, place.offset, as: .repeated) }
        }
        // What is fenced here because its log is examined is no other consumer's.
        let examined = assignment.examined
        lost.removeAll { examined.contains($0) }
        let stillFenced = fenced
        try perform(assignment.handle(.refused(lost: lost)))
        fenced = lost.isEmpty ? stillFenced : (lost, .now)
    }

    private func fields(of partitions: [Int32]) -> Logger.Metadata {
        [
            "KAFKA_TOPIC": "\(topic)",
            "KAFKA_PARTITION": "\(partitions.map { String($0) }.joined(separator: ","))",
        ]
    }

    /// Takes fenced partitions up again when the group has not given them to anybody else meanwhile: then the fence was
    /// our own session, which had been cut off and whose COMMIT came late, or a person who moved the offsets.
    mutating func claimFenced() throws(KafkaError) {
        guard let found = fenced, !questions.isLocating, found.at.duration(to: .now) > Self.claimAfter else { return }
        _ = exchange.waitUntilWritten(milliseconds: 1000)
        try perform(assignment.handle(.reclaimed(found.partitions)))
    }

    private static let claimAfter: Duration = .seconds(30)  // longer than the session.timeout.ms of the group
}
