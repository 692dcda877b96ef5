/// Something that is the matter with a sensor and not with a heart: idle or open. Always of one severity.
struct TechnicalTrack: Idling {
    private(set) var isOpen = false
    private(set) var openedAt: Int64 = 0
    private var raisedAt: Int64 = 0
    private(set) var lastSeenAt: Int64 = 0
    private var readings: Int32 = 0
    /// What else its reason says: a rate in bpm, how many readings were good, or two rates: see `figure(of:_:)`.
    private var figure: Int32 = 0

    var isIdle: Bool { !isOpen }

    /// It has lasted from one time to another; `readings` were so.
    mutating func open(
        _ kind: EpisodeKind, since: Int64, at: Int64, readings: Int32, figure: Int32
    ) -> EpisodeEvent {
        self = TechnicalTrack()
        isOpen = true
        (openedAt, raisedAt, lastSeenAt) = (since, at, at)
        (self.readings, self.figure) = (readings, figure)
        return EpisodeEvent(episode: episode(kind), change: .opened)
    }

    /// It goes on.
    mutating func goOn(at: Int64, figure more: Int32 = 0) {
        lastSeenAt = max(lastSeenAt, at)
        if readings < .max { readings += 1 }
        figure += more
    }

    /// It is over, at the last time that it was so.
    mutating func close(_ kind: EpisodeKind) -> EpisodeEvent? {
        guard isOpen else { return nil }
        var closed = episode(kind)
        closed.closedAt = closed.lastSeenAt
        self = TechnicalTrack()
        return EpisodeEvent(episode: closed, change: .closed)
    }

    /// Two rates in bpm, which readings have in turns, in one figure: it is negative, as no other is.
    static func figure(of one: Int16, _ other: Int16) -> Int32 {
        -(Int32(min(one, other)) << 16 | Int32(max(one, other)))
    }

    private func evidence(_ kind: EpisodeKind) -> Episode.Evidence {
        if kind == .sensorStuck { return .stuck(Int16(truncatingIfNeeded: figure)) }
        guard figure < 0 else { return .implausible(good: figure) }
        // Of any checkpoint's figure.
        let rates = 0 &- figure
        return .turns(Int16(truncatingIfNeeded: rates >> 16), Int16(truncatingIfNeeded: rates))
    }

    /// The open episode.
    func episode(_ kind: EpisodeKind) -> Episode {
        let severity: Severity = kind == .sensorStuck ? .medium : .low
        return Episode(
            kind: kind, severity: severity, worstSeverity: severity,
            openedAt: Instant(microsecondsSince1970: openedAt), raisedAt: Instant(microsecondsSince1970: raisedAt),
            lastSeenAt: Instant(microsecondsSince1970: lastSeenAt), extremeHeartRate: nil, readings: readings,
            evidence: evidence(kind))
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&isOpen)
        guard isOpen else { return }
        coder.codeTime(&openedAt)
        coder.codeTime(&raisedAt)
        coder.codeTime(&lastSeenAt)
        coder.code(&readings, after: 0)
        coder.code(&figure, after: 0)
    }
}
