/// What the writer says to the intake.
enum Reply: Sendable {
    /// Where to go on with the partitions that the database knows.
    case positions([Position])
    /// The next offset of every partition of the topic that the database knows.
    case stored([Int32: Int64])
    /// A batch is in the database; how far it moved its sources.
    case written([Batch.Progress])
    /// A batch was dropped. Nothing is written until the intake has abandoned what gathered behind it.
    case refused(Refusal)
    /// Some customer was silent for so long that it has to be found out whether Kafka has something from them.
    case silenceDue
}

/// Why the writer could not write a batch.
enum Refusal: Sendable {
    /// Another consumer owns these partitions now.
    case fenced(partitions: [Int32])
    /// The database lacks what was stored of these partitions.
    case behind(partitions: [Int32])
    /// The database refuses the data of a batch; how many messages it has, and its last one.
    case data(messages: Int, last: (partition: Int32, offset: Int64), cause: String)
    /// A transaction of several batches failed, and nothing of it is stored.
    case unfinished
    /// These messages ask to be stored only once, and their readings are stored already.
    case repeated([Batch.Place])
}
