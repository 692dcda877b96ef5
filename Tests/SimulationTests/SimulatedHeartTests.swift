import Testing

@testable import HeartRate

private let hearts = 40

/// A course of some hours in steps of one second.
private func course(customer: Int, hours: Int = 4, seed: UInt64 = 1, rates: SpellRates = SpellRates())
    -> [SimulatedHeart.Sample]
{
    var heart = SimulatedHeart(seed: seed, customer: customer, rates: rates)
    return (0..<hours * 3600).map { _ in heart.next(after: 1) }
}

private let noSpells = SpellRates(bradycardiaPerHour: 0, tachycardiaPerHour: 0)

@Suite("Simulated hearts") struct SimulatedHeartTests {
    @Test("the same seed and customer have the same course, others have another")
    func seeded() {
        #expect(course(customer: 7, hours: 1) == course(customer: 7, hours: 1))
        #expect(course(customer: 7, hours: 1) != course(customer: 8, hours: 1))
        #expect(course(customer: 7, hours: 1) != course(customer: 7, hours: 1, seed: 2))
        var random = SplitMix64(seed: 1_234_567)
        var again = SplitMix64(seed: 1_234_567)
        #expect((0..<100).allSatisfy { _ in random.next() == again.next() })
    }

    @Test("small enough for a hundred thousand of them")
    func size() {
        #expect(MemoryLayout<SimulatedHeart>.stride <= 100)
        #expect(MemoryLayout<SimulatedFaults>.stride <= 16)
        #expect(MemoryLayout<SimulatedTruth>.stride <= 160)
    }

    @Test("without spells: within the usual rates, smooth, and each reading close to what the last one was")
    func smooth() {
        for customer in 1...hearts {
            let rates = course(customer: customer, rates: noSpells).map { Double($0.bpm) }
            #expect(rates.allSatisfy { (42...178).contains($0) })
            let steps = zip(rates, rates.dropFirst()).map { $1 - $0 }
            #expect(steps.allSatisfy { abs($0) <= 10 }, "customer \(customer): \(steps.map(abs).max() ?? 0) bpm")
            let mean = rates.reduce(0, +) / Double(rates.count)
            let variance = rates.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
            let together = zip(rates, rates.dropFirst()).map { ($0 - mean) * ($1 - mean) }.reduce(0, +)
            #expect(together / variance > 0.9, "customer \(customer)")
        }
    }

    @Test("ten thousand hearts without spells never leave the usual rates")
    func usualRates() {
        for customer in 1...10_000 {
            var heart = SimulatedHeart(seed: 2, customer: customer, rates: noSpells)
            // By the hour, in which the rate arrives at whatever it was approaching.
            let rates = (0..<24).map { _ in heart.next(after: 3600).bpm }
            #expect(rates.allSatisfy { SimulatedHeart.usualRates.contains($0) }, "customer \(customer)")
        }
    }

    @Test("noise is correlated: a tenth of a second hardly changes anything")
    func correlatedNoise() {
        var squares = 0.0
        for customer in 1...hearts {
            var heart = SimulatedHeart(seed: 1, customer: customer, rates: noSpells)
            let rates = (0..<1000).map { _ in Double(heart.next(after: 0.1).bpm) }
            squares += zip(rates, rates.dropFirst()).map { ($0 - $1) * ($0 - $1) }.reduce(0, +) / 999
        }
        // Independent noise of 1 bpm would make it 2.
        #expect(squares / Double(hearts) < 0.7, "\(squares / Double(hearts)) bpm²")
    }

    @Test("activities differ as they should")
    func activities() {
        var rates: [Activity: [Double]] = [:]
        for customer in 1...hearts {
            for sample in course(customer: customer, rates: noSpells) {
                rates[sample.activity, default: []].append(Double(sample.bpm))
            }
        }
        let means = rates.mapValues { $0.reduce(0, +) / Double($0.count) }
        for (lower, higher) in [(Activity.sleep, Activity.rest), (.rest, .walk), (.walk, .exercise)] {
            #expect((means[lower] ?? 0) + 3 < (means[higher] ?? 0), "\(means)")
        }
    }

    @Test("spells go beyond 40 and 180 for a while, and not by a jump")
    func spells() {
        var lengths: [Anomaly.Kind: [Int]] = [:]
        for customer in 1...hearts {
            let samples = course(customer: customer, rates: SpellRates(bradycardiaPerHour: 4, tachycardiaPerHour: 4))
            let steps = zip(samples, samples.dropFirst()).map { abs($1.bpm - $0.bpm) }
            #expect(steps.allSatisfy { $0 < 30 }, "customer \(customer): \(steps.max() ?? 0) bpm")
            #expect(samples.allSatisfy { (1...299).contains($0.bpm) })
            for spell in samples.split(whereSeparator: { $0.spell == nil }) where spell.endIndex < samples.endIndex {
                guard let kind = spell.first?.spell else { continue }
                let beyond = spell.count { kind == .bradycardia ? $0.bpm < 40 : $0.bpm > 180 }
                lengths[kind, default: []].append(beyond)
                #expect(beyond >= 10, "customer \(customer): \(beyond) of \(spell.count) s")
            }
        }
        // 40 hearts in 4 hours at 4 an hour each, less the 80 s on average in which no other spell can begin:
        // 545 of each kind; 6 standard deviations are 140.
        for kind in [Anomaly.Kind.bradycardia, .tachycardia] {
            #expect((405...685).contains(lengths[kind]?.count ?? 0), "\(kind): \(lengths[kind]?.count ?? 0)")
        }
    }

    @Test("any step of time will do", arguments: [0, 0.001, 0.2, 5, 60, 3600, 1e9, -1, .infinity, .nan])
    func anyStep(seconds: Double) {
        var heart = SimulatedHeart(
            seed: 1, customer: 1, rates: SpellRates(bradycardiaPerHour: 100, tachycardiaPerHour: 100))
        for _ in 0..<1000 { #expect((1...299).contains(heart.next(after: seconds).bpm)) }
    }
}

@Suite("Simulated faults") struct SimulatedFaultsTests {
    @Test("the same seed and customer have the same faults")
    func seeded() {
        let rates = FaultRates(malformed: 0.1, dropout: 0.1, late: 0.1)
        func faults(seed: UInt64, customer: Int) -> [SimulatedFault?] {
            var sensor = SimulatedFaults(seed: seed, customer: customer)
            return (0..<1000).map { _ in sensor.next(after: 1, rates: rates) }
        }
        #expect(faults(seed: 1, customer: 1) == faults(seed: 1, customer: 1))
        #expect(faults(seed: 1, customer: 1) != faults(seed: 1, customer: 2))
        #expect(faults(seed: 1, customer: 1) != faults(seed: 2, customer: 1))
    }

    @Test("no faults unless they are asked for, always when they are certain")
    func bounds() {
        var sensor = SimulatedFaults(seed: 1, customer: 1)
        for _ in 0..<10_000 { #expect(sensor.next(after: 1, rates: FaultRates()) == nil) }
        for _ in 0..<100 {
            guard case .late(let seconds) = sensor.next(after: 1, rates: FaultRates(late: 1)) else {
                Issue.record("not late")
                continue
            }
            #expect((5...120).contains(seconds))
        }
    }

    @Test("late readings change nothing else")
    func lateness() {
        func faults(late: Double) -> [SimulatedFault?] {
            var sensor = SimulatedFaults(seed: 1, customer: 1)
            let rates = FaultRates(malformed: 0.05, dropout: 0.01, late: late)
            return (0..<10_000).map { _ in
                let fault = sensor.next(after: 1, rates: rates)
                if case .late = fault { return nil }
                return fault
            }
        }
        #expect(faults(late: 0.3) == faults(late: 0))
        #expect(faults(late: 0).contains(.silent))
    }

    @Test("faults are as frequent as configured")
    func frequency() {
        let rates = FaultRates(malformed: 0.02, dropout: 0.005, late: 0.05, dropoutSeconds: 10...10)
        var (messages, malformed, dropouts, late, silent) = (0, 0, 0, 0, 0)
        for customer in 1...100 {
            var sensor = SimulatedFaults(seed: 1, customer: customer)
            var wasSilent = 0
            for _ in 0..<10_000 {
                let fault = sensor.next(after: 1, rates: rates)
                if case .silent = fault {
                    silent += 1
                    wasSilent += 1
                    // The message before which the sensor fell silent, and 9 more within the 10 s.
                    if wasSilent == 10 { wasSilent = 0 }
                    if wasSilent == 1 { dropouts += 1 }
                    if wasSilent != 1 { continue }
                }
                messages += 1
                if case .malformed = fault { malformed += 1 }
                if case .late = fault { late += 1 }
            }
        }
        func isNear(_ count: Int, _ rate: Double) -> Bool {
            let expected = rate * Double(messages)
            return abs(Double(count) - expected) < 6 * expected.squareRoot()
        }
        #expect(isNear(malformed, 0.02) && isNear(late, 0.05) && isNear(dropouts, 0.005))
        #expect(abs(Double(silent) / Double(dropouts) - 10) < 0.1)
    }

    @Test("each kind of malformed message is rejected for its reason", arguments: MalformedMessage.allCases)
    func malformed(kind: MalformedMessage) throws {
        for microseconds in 0..<500 {
            let original = try reading(#"a "quoted" id"#, at: Int64(microseconds), bpm: Int16(microseconds % 299 + 1))
            #expect(decode(kind.payload(for: original)).reason?.code == kind.code)
        }
    }
}
