/// How often simulated sensors fail. Rates are probabilities for each message, 0 to 1, and together at most 1.
public struct FaultRates: Hashable, Sendable {
    /// Messages that are malformed. The default is 0.
    public var malformed: Double
    /// Messages before which the sensor falls silent. The default is 0.
    public var dropout: Double
    /// Messages that are sent late. The default is 0.
    public var late: Double
    /// How long a sensor is silent, in seconds. The default is 10 to 60.
    public var dropoutSeconds: ClosedRange<Double>
    /// How late a late message is, in seconds. The default is 5 to 120.
    public var lateSeconds: ClosedRange<Double>

    /// Rates; see the properties for the defaults.
    public init(
        malformed: Double = 0, dropout: Double = 0, late: Double = 0,
        dropoutSeconds: ClosedRange<Double> = 10...60, lateSeconds: ClosedRange<Double> = 5...120
    ) {
        self.malformed = malformed
        self.dropout = dropout
        self.late = late
        self.dropoutSeconds = dropoutSeconds
        self.lateSeconds = lateSeconds
    }
}

/// What goes wrong with one message.
public enum SimulatedFault: Hashable, Sendable {
    /// The sensor is silent: nothing is sent.
    case silent
    /// The message is sent this many seconds after its timestamp.
    case late(seconds: Double)
    /// Instead of the message this kind of nonsense is sent.
    case malformed(MalformedMessage)
}

/// One customer's sensor and what fails about it. 16 bytes; the rates belong to all of them and are given each time.
public struct SimulatedFaults: Sendable {
    private static let kinds = MalformedMessage.allCases

    private var random: SplitMix64
    /// Seconds of silence that are left.
    private var silence: Double = 0

    /// The sensor of a customer; the same seed and customer always have the same faults.
    public init(seed: UInt64, customer: Int) {
        // Another stream than the heart's, so that faults do not change its course.
        random = SplitMix64(seed: ~seed, stream: UInt64(bitPattern: Int64(customer)))
    }

    /// What goes wrong with the message that is due this long after the one before; nil when nothing does.
    public mutating func next(after seconds: Double, rates: FaultRates) -> SimulatedFault? {
        if silence > 0 {
            silence -= max(seconds, 0)
            if silence > 0 { return .silent }
        }
        let chance = random.nextUnit()
        if chance < rates.malformed {
            return .malformed(Self.kinds[Int.random(in: Self.kinds.indices, using: &random)])
        }
        if chance < rates.malformed + rates.dropout {
            silence = random.next(in: rates.dropoutSeconds)
            return .silent
        }
        // From the same random number, so that the other faults are the same whether readings are late or not.
        let place = chance - (rates.malformed + rates.dropout)
        guard place < rates.late else { return nil }
        let (least, most) = (rates.lateSeconds.lowerBound, rates.lateSeconds.upperBound)
        return .late(seconds: least + place / rates.late * (most - least))
    }
}
