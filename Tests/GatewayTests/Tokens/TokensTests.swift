import Daemon
import HeartRate
import Testing

@testable import Gateway

@Suite struct TokensTests {
    private func grant(_ customers: String) throws -> SendingGrant {
        SendingGrant(customers: try #require(SendingGrant.patterns(customers)))
    }

    @Test(
        "a token is for the customers of its list and for those whose ids begin as its prefixes",
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("a", "A", false), ("ward3_*", "ward3_7", true),
            ("ward3_*", "ward3_", true),
            ("ward3_*", "ward31", false), ("*", "anybody", true), ("x,y*", "y1", true), ("x,y*", "x1", false),
            ("bed%207", "bed 7", true), ("%2a", "*", true), ("%2a", "x", false), ("\u{e9}*", "\u{e9}1", true),
            ("\u{e9}", "e\u{301}", false),
        ])
    func customers(_ list: String, _ id: String, isAllowed: Bool) throws {
        #expect(try grant(list).allows(CustomerID(id)) == isAllowed)
    }

    @Test(
        "what is no list of customers",
        arguments: ["", "a,,b", "a**", "*a", "%", "%2", "%zz", String(repeating: "a", count: 51)])
    func refused(_ list: String) { #expect(SendingGrant.patterns(list) == nil) }

    @Test("a new token's line has the hash, the customers and the rate")
    func line() throws {
        let new = try NewToken("gym", customers: "gym_*", readingsPerSecond: 5)
        let parts = new.line.split(separator: " ").map(String.init)
        #expect(parts.count == 4 && parts[0] == "gym" && parts[2] == "gym_*" && parts[3] == "5")
        #expect(throws: CommandFailure.self) { try NewToken("gym", customers: "a b", readingsPerSecond: nil) }
    }

    @Test("ten seconds' readings at once, then as many as the rate gives")
    func allowance() {
        let start = ContinuousClock.now
        var allowance = Allowance(100, at: start)
        #expect(allowance.take(1000, rate: 100, at: start) == 0)
        #expect(allowance.take(1, rate: 100, at: start) == 1)
        #expect(allowance.take(500, rate: 100, at: start + .seconds(1)) == 4)
        #expect(allowance.take(100, rate: 100, at: start + .seconds(1)) == 0)
        // A request that is larger than all that may be saved is taken as a whole, and paid for afterwards.
        #expect(allowance.take(5000, rate: 100, at: start + .seconds(60)) == 0)
        #expect(allowance.take(1, rate: 100, at: start + .seconds(61)) == 40)
        #expect(allowance.take(1, rate: 100, at: start + .seconds(102)) == 0)
        // What has no reading is work, too.
        var empty = Allowance(1, at: start)
        for _ in 0..<10 { #expect(empty.take(0, rate: 1, at: start) == 0) }
        #expect(empty.take(0, rate: 1, at: start) == 1)
    }
}
