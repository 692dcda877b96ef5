import HeartRate

/// What the writer does for the intake, one after another; the rows that have gathered wait for the writer themselves.
enum Job: Sendable {
    /// Answer where to go on: `Reply.positions`.
    case locate(LocateRequest)
    /// Answer how far the whole topic is stored: `Reply.stored`.
    case readStored(StoredRequest)
    /// Detect episodes by these rules from now on, and by limits that are read again; nil when they are switched off.
    case detect(EpisodeRules?)
    /// Write the batch: `Reply.written` or `Reply.refused`.
    case write
    /// End.
    case stop
}
