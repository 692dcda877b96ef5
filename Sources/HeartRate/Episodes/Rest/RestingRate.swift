/// For how long a customer's rate has been beyond a limit of rest, minute by minute. 14 bytes.
struct RestingRate {
    /// When that began, in microseconds since 1970.
    private(set) var since: Int64 = 0
    /// In milliseconds.
    private var lasted: UInt32 = 0
    private var count: UInt8 = 0
    /// Whether it has lasted for long enough.
    private(set) var isSustained = false

    /// Takes a minute's value, which rises with severity: a slow rate is negated.
    mutating func take(
        _ value: EighthsOfBPM, limit: EighthsOfBPM, at: Int64, after gap: Microseconds, _ rules: EpisodeRules
    ) {
        guard value > limit else {
            if value <= limit - EighthsOfBPM(rules.margin) * 8 { reset() }
            return
        }
        if count == 0 {
            since = at
        } else {
            lasted = UInt32(clamping: Int64(lasted) + min(gap, rules.restDelay).milliseconds)
        }
        if count < 7 { count += 1 }
        isSustained = Int(count) >= rules.delayReadings && Int64(lasted) >= rules.restDelay.milliseconds
    }

    mutating func reset() { self = RestingRate() }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&count, in: 0...7)
        guard count > 0 else { return }
        coder.codeTime(&since)
        coder.code(&lasted, after: 0)
        coder.code(&isSustained)
    }
}
