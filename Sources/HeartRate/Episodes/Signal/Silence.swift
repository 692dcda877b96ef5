/// What is the matter with a customer who has no heart rate: one thing at a time. 19 bytes.
struct Silence {
    enum Phase: UInt8 {
        /// Nothing, or not long enough.
        case none
        /// Nothing comes.
        case lost
        /// Readings come, of 0 bpm.
        case zero
        /// Either for so long that the sensor is not worn.
        case notWorn
    }

    /// When what is open opened, or was last; `noTime` before the first one.
    var openedAt = noTime
    /// The last reading of 0 bpm since the last heart rate; `noTime` when there is none.
    var zeroAt = noTime
    var phase = Phase.none
    /// Of what is open, or was last.
    var severity = Severity.medium
    /// Whether a loss has been urgent since the rate went beyond a limit: one of several is enough.
    var wasUrgent = false

    var kind: EpisodeKind? {
        switch phase {
        case .none: nil
        case .lost: .signalLoss
        case .zero: .zeroRate
        case .notWorn: .notWorn
        }
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.codeOptionalTime(&openedAt, none: noTime)
        coder.code(&severity)
        var number = phase.rawValue
        coder.code(&number, in: 0...3)
        phase = Phase(rawValue: number) ?? .none
        coder.codeOptionalTime(&zeroAt, none: noTime)
        coder.code(&wasUrgent)
    }
}
