import Daemon
import HeartRate
import Kafka

/// Simulated customers: a heart and a sensor for each, 80 bytes.
struct Simulation: ~Copyable {
    private var hearts: [SimulatedHeart]
    private var sensors: [SimulatedFaults]
    private let rates: FaultRates
    private var schedule: Schedule
    private let seconds: Double
    private var late = LateReadings()
    private var encoder = ReadingEncoder()

    init(_ settings: Settings) {
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
    }

    /// Publishes until it is asked to stop, or so many messages.
    ///
    /// Paced, a reading's timestamp is the time at which it is due. Without pace the simulated clock runs faster than the
    /// real one; with a count it begins so far in the past that it ends now, else it begins now.
    ///
    /// - Throws: `KafkaError` when librdkafka can not go on.
    mutating func run(
        _ publisher: inout Publisher, count: Int?, isPaced: Bool
    ) throws(KafkaError) -> Publisher.End {
        var left = count ?? .max
        let origin = isPaced ? publisher.startOfDay : beginning(publisher.startOfDay, count: count ?? 0)
        while left > 0 {
            let due = min(schedule.due, late.due)
            if isPaced { guard try publisher.wait(until: due) else { return .stopped } }
            switch try publishNext(&publisher, origin) {
            case .published: left -= 1
            case .silent: if publisher.isStopped { return .stopped }
            case .stopped: return .stopped
            }
        }
        return .finished
    }

    private enum Step { case published, silent, stopped }

    /// Publishes what is due next: a late reading, or a new one of the next customer.
    private mutating func publishNext(
        _ publisher: inout Publisher, _ origin: Instant
    ) throws(KafkaError) -> Step {
        if late.due <= schedule.due, let entry = late.removeFirst() {
            return try publish(entry, nil, &publisher, origin)
        }
        let customer = schedule.customer
        var entry = LateReadings.Entry(due: schedule.due, recorded: schedule.due, customer: customer, bpm: 0)
        schedule.advance()
        // The heart goes on beating when the sensor fails.
        entry.bpm = hearts[customer].next(after: seconds).bpm
        switch sensors[customer].next(after: seconds, rates: rates) {
        case nil: return try publish(entry, nil, &publisher, origin)
        case .malformed(let kind): return try publish(entry, kind, &publisher, origin)
        case .silent: return .silent
        case .late(let delay):
            guard !late.isFull else { return try publish(entry, nil, &publisher, origin) }
            entry.due += Int64(delay * 1e9)
            late.insert(entry)
            return .silent
        }
    }

    private mutating func publish(
        _ entry: LateReadings.Entry, _ malformed: MalformedMessage?, _ publisher: inout Publisher, _ origin: Instant
    ) throws(KafkaError) -> Step {
        let id = CustomerID(simulated: entry.customer + 1)
        let moment = origin.advanced(byMicroseconds: entry.recorded / 1000)
        // A simulated heart stays within what a reading takes.
        guard let reading = Reading(customerID: id, recordedAt: moment, heartRate: entry.bpm) else { return .silent }
        let isQueued: Bool
        if let malformed {
            let payload = malformed.payload(for: reading)
            isQueued = try publisher.publish(key: id.utf8.raw, value: payload.span.raw)
        } else {
            isQueued = try publisher.publish(key: id.utf8.raw, value: encoder.encode(reading))
        }
        return isQueued ? .published : .stopped
    }

    /// So long before `end` that this many messages end there; earlier by what the sensors are silent.
    private func beginning(_ end: Instant, count: Int) -> Instant {
        let silence = Double(rates.dropoutSeconds.lowerBound + rates.dropoutSeconds.upperBound) / 2
        let readings = Double(count) * (1 + rates.dropout * max(1, silence / seconds))
        let span = readings / Double(schedule.customers) * seconds * 1_000_000
        return end.advanced(byMicroseconds: -Int64(min(span, 0x1p62)))
    }
}
