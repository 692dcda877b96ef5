import Simulation
import Testing

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
}
