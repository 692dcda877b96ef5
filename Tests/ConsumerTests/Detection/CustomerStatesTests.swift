import HeartRate
import Testing

@testable import Consumer

@Suite("The detectors in memory") struct CustomerStatesTests {
    /// An entry is the detector's 688, limits 16, delay 13, two numbers 12 and a flag 1: 730, and 6 of alignment.
    ///
    /// The customer's id is kept among the states and among those who are watched for silence: 10 bytes, 4 for its end and at
    /// most 16 of the table, each at most doubled while arrays grow, but for the table: 2 times 44. The watch itself is 24 and
    /// doubles, too: 48. Together that is 872, and some more for what is open of somebody.
    @Test("a customer takes less than a kilobyte")
    func size() {
        #expect(MemoryLayout<CustomerStates.Entry>.stride <= 736)
    }
}
