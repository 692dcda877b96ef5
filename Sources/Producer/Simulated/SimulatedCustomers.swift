import Bytes
import Daemon
public import HeartRate
import Kafka
import Simulation

/// How a simulation runs, beside the settings.
public struct SimulationPlan: Sendable {
    /// After how many messages it ends; nil means never.
    public var count: Int?
    /// The first moment of simulated time, for a simulation without pace; nil lets it end now, or begin now without an
    /// end.
    public var begin: Instant?
    /// Where to write the true episodes.
    public var truthFile: String?

    /// A plan; without anything it never ends.
    public init(count: Int? = nil, begin: Instant? = nil, truthFile: String? = nil) {
        self.count = count
        self.begin = begin
        self.truthFile = truthFile
    }
}

/// Simulated customers: a heart and a sensor for each, 80 bytes.
struct SimulatedCustomers: ~Copyable {
    private var hearts: [SimulatedHeart]
    private var sensors: [SimulatedFaults]
    private let rates: FaultRates
    private var schedule: Schedule
    private let seconds: Double
    private let sendsActivity: Bool
    private let plan: SimulationPlan
    private var late = LateReadings()
    private var encoder = MessageWriter()
    /// The time stamp of what is due at the start.
    private var origin = Instant(microsecondsSince1970: 0)
    private var truth: TruthFile?

    /// - Throws: `CommandFailure` when the file of the truth cannot be written.
    init(_ settings: Settings, _ plan: SimulationPlan) throws(CommandFailure) {
        self.plan = plan
        let seed = settings[.seed].map { UInt64($0) } ?? .random(in: 0 ... .max)
        let customers = settings[.numCustomers]
        let spells = SpellRates(
            bradycardiaPerHour: settings[.bradycardiaSpellsPerHour],
            tachycardiaPerHour: settings[.tachycardiaSpellsPerHour])
        hearts = (1...customers).map { SimulatedHeart(seed: seed, customer: $0, rates: spells) }
        sensors = (1...customers).map { SimulatedFaults(seed: seed, customer: $0) }
        let latest = settings[.lateSeconds] / .seconds(1)
        rates = FaultRates(
            malformed: settings[.malformedRate], dropout: settings[.dropoutRate], late: settings[.lateRate],
            lateSeconds: min(5, latest)...latest)
        schedule = Schedule(customers: customers, interval: settings[.intervalSeconds])
        seconds = settings[.intervalSeconds] / .seconds(1)
        sendsActivity = settings[.sendActivity]
        if let path = plan.truthFile { truth = try TruthFile(path: path, customers: customers) }
    }

    /// Publishes until it is asked to stop or the plan is done.
    ///
    /// Paced, a reading's timestamp is the time at which it is due. Without pace the simulated clock runs faster than the
    /// real one; with a count it begins so far in the past that it ends now, else it begins now, unless the plan says
    /// when.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on, `CommandFailure` when the truth cannot be written.
    mutating func run(_ publisher: inout Publisher, isPaced: Bool) throws -> Publisher.End {
        let begin = plan.begin ?? beginning(publisher.startOfDay, count: plan.count ?? 0)
        origin = isPaced ? publisher.startOfDay : begin
        let end = try publish(to: &publisher, isPaced: isPaced)
        try truth?.finish()
        return end
    }

    private enum Step { case done, silent, stopped }

    private mutating func publish(to publisher: inout Publisher, isPaced: Bool) throws -> Publisher.End {
        // Late readings count when they are taken: they are a part of what was asked for, and still sent at the end.
        var left = plan.count ?? .max
        while left > 0 || late.due < .max {
            let isLate = left == 0 || late.due <= schedule.due
            if isPaced {
                guard try publisher.wait(until: isLate ? late.due : schedule.due) else { return .stopped }
            }
            if isLate, let entry = late.removeFirst() {
                guard try publish(entry, malformed: nil, to: &publisher) else { return .stopped }
                continue
            }
            switch try publishNext(to: &publisher) {
            case .done: left -= 1
            case .silent: if publisher.isStopped { return .stopped }
            case .stopped: return .stopped
            }
        }
        return .finished
    }

    /// Publishes what the next customer's sensor makes of the next sample, or keeps it to be sent late.
    private mutating func publishNext(to publisher: inout Publisher) throws -> Step {
        let (customer, due) = (schedule.customer, schedule.due)
        schedule.advance()
        // The heart goes on beating when the sensor fails.
        let sample = hearts[customer].next(after: seconds)
        let fault = sensors[customer].next(after: seconds, rates: rates)
        let step = try send(sample, fault: fault, of: customer, due: due, to: &publisher)
        if step != .stopped { try truth?.take(sample, fault, of: customer, at: Self.moment(due, origin)) }
        return step
    }

    private mutating func send(
        _ sample: SimulatedHeart.Sample, fault: SimulatedFault?, of customer: Int, due: Int64,
        to publisher: inout Publisher
    ) throws(KafkaError) -> Step {
        var entry = LateReadings.Entry(
            due: due, recorded: due, customer: customer, bpm: sample.bpm,
            activity: sendsActivity ? sample.activity : nil)
        var malformed: MalformedMessage?
        switch fault {
        case .silent: return .silent
        case .late(let delay) where !late.isFull:
            entry.due += Int64(delay * 1e9)
            late.insert(entry)
            return .done
        case .malformed(let kind): malformed = kind
        case .late, nil: break
        }
        return try publish(entry, malformed: malformed, to: &publisher) ? .done : .stopped
    }

    /// - Returns: false when it was asked to stop before that.
    private mutating func publish(
        _ entry: LateReadings.Entry, malformed: MalformedMessage?, to publisher: inout Publisher
    ) throws(KafkaError) -> Bool {
        let id = CustomerID(simulated: entry.customer + 1)
        let moment = Self.moment(entry.recorded, origin)
        // A simulated heart stays within what a reading takes.
        guard
            let reading = Reading(
                customerID: id, recordedAt: moment, heartRate: entry.bpm, activity: entry.activity)
        else { return true }
        guard let malformed else { return try publisher.publish(key: id.utf8.raw, value: encoder.write(reading)) }
        let payload = malformed.payload(for: reading)
        return try publisher.publish(key: id.utf8.raw, value: payload.span.raw)
    }

    /// - Parameter due: nanoseconds since the start.
    private static func moment(_ due: Int64, _ origin: Instant) -> Instant {
        origin.advanced(byMicroseconds: due / 1000)
    }

    /// So long before `end` that this many messages end there; earlier by what the sensors are silent.
    private func beginning(_ end: Instant, count: Int) -> Instant {
        let silence = Double(rates.dropoutSeconds.lowerBound + rates.dropoutSeconds.upperBound) / 2
        let readings = Double(count) * (1 + rates.dropout * max(1, silence / seconds))
        let span = readings / Double(schedule.customers) * seconds * 1_000_000
        return end.advanced(byMicroseconds: -Int64(min(span, 0x1p62)))
    }
}
