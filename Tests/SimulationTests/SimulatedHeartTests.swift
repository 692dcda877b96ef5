import HeartRate
import Testing

@testable import Simulation

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
