import HeartRate

/// What a batch has of one customer, in the order of the log.
struct CustomerCourse {
    /// The batch's, of which `rows` are the customer's.
    var observations: [Observation] = []
    var rows: ArraySlice<Int> = []
    /// What is not stored.
    var unstorable: [UnstorableReadings.Element] = []
    /// See `CustomerChanges.CustomerChange.arrival`.
    var arrival: (at: Int64, delay: Int64)?
    /// Whether no more is to come.
    var isLast = false

    /// Takes all of it through the customer's detector.
    func judge(
        by detector: inout Detector, _ limits: CustomerLimits, rules: EpisodeRules, of id: ArraySlice<UInt8>,
        _ findings: inout Findings
    ) {
        func take(_ unstored: UnstorableReadings.Element) {
            detector.takeUnstorable(isZero: unstored.isZero, at: unstored.recordedAt, rules: rules, limits: limits) {
                findings.note($0, of: String(decoding: id, as: UTF8.self), $1)
            }
        }
        var unstored = unstorable[...]
        for row in rows {
            while let next = unstored.first, next.place <= row {
                take(next)
                unstored.removeFirst()
            }
            let observation = observations[row]
            let sample = Sample(observation.heartRate, at: observation.recordedAt, activity: observation.activity)
            let judgement = detector.take(sample, rules: rules, limits: limits) {
                findings.note($0, of: String(decoding: id, as: UTF8.self), $1)
            }
            switch judgement {
            case .usual: break
            case .suspect: findings.suspect.append(row)
            case .late: findings.late += 1
            case .ahead: findings.ahead += 1
            case .restarted: findings.restarted.append(String(decoding: id, as: UTF8.self))
            }
        }
        for next in unstored { take(next) }
        guard isLast else { return }
        detector.finish(rules: rules, limits: limits) { findings.note($0, of: String(decoding: id, as: UTF8.self), $1) }
    }
}
