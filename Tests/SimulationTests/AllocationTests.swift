import CAllocationCounter
import HeartRate
import Simulation
import Testing

/// A hundred thousand hearts beat at once: nothing may be allocated per sample, neither in release nor in debug.
@Suite("Allocations of simulations") struct AllocationTests {
    @Test("100,000 samples of simulated hearts")
    func hearts() {
        var heart = SimulatedHeart(seed: 1, customer: 1)
        var faults = SimulatedFaults(seed: 1, customer: 1)
        let rates = FaultRates(malformed: 0.1, dropout: 0.1, late: 0.1)
        var truth = SimulatedTruth()
        var sum = 0
        func pass(_ count: Int) {
            for _ in 0..<count {
                let sample = heart.next(after: 1)
                let fault = faults.next(after: 1, rates: rates)
                sum += Int(sample.bpm)
                truth.take(sample, fault: fault, at: .earliest) { _ in sum += 1 }
            }
        }
        pass(10_000)
        let before = allocation_count()
        pass(100_000)
        let allocations = allocation_count() - before
        #expect(allocations == 0)
        #expect(sum > 0)
    }
}
