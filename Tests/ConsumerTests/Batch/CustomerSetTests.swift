import Simulation
import Testing

@testable import Consumer

@Suite("Customers of a batch") struct CustomerSetTests {
    private func bytes(_ id: String) -> [UInt8] { Array(id.utf8) }

    @Test("ids are numbered as they come, however many there are, and can be had back")
    func growth() {
        var customers = CustomerSet()
        for index in 0..<100_000 { #expect(customers.insert(bytes("customer \(index)").span) == index) }
        #expect(customers.count == 100_000)
        for index in 0..<100_000 {
            let id = bytes("customer \(index)")
            #expect(customers.insert(id.span) == index && customers.id(index).elementsEqual(id))
        }
        #expect(customers.count == 100_000)
    }

    @Test("ids that begin alike, or differ in their bytes only, are different")
    func likeness() {
        let ids = [
            "a", "aa", "a ", " a", "A", "caf\u{e9}", "cafe\u{301}", "a\u{1}", "🫀", "🫀🫀", "\u{1}a",
            String(repeating: "🫀", count: 50), String(repeating: "🫀", count: 49) + "a",
        ]
        var customers = CustomerSet()
        for (number, id) in ids.enumerated() { #expect(customers.insert(bytes(id).span) == number, "\(id)") }
        for (number, id) in ids.enumerated() { #expect(customers.insert(bytes(id).span) == number, "\(id)") }
        for (number, id) in ids.enumerated() { #expect(customers.id(number).elementsEqual(bytes(id))) }
    }

    @Test("emptied, it begins with number 0")
    func removeAll() {
        var customers = CustomerSet()
        for index in 0..<1000 { _ = customers.insert(bytes("\(index)").span) }
        customers.removeAll()
        #expect(customers.count == 0)
        #expect(customers.insert(bytes("500").span) == 0 && customers.insert(bytes("7").span) == 1)
        #expect(customers.insert(bytes("500").span) == 0 && customers.count == 2)
    }

    @Test(
        "the order of ids is that of their bytes",
        arguments: [[], ["a"], ["b", "a"], ["cust_10", "cust_2", "cust_1", "cust_"]]
    )
    func order(ids: [String]) {
        var set = CustomerSet()
        for id in ids { _ = set.insert(id.utf8.span) }
        #expect(set.sorted().map { String(decoding: set.id($0), as: UTF8.self) } == ids.sorted())
    }

    @Test("the order of many ids, some of them alike for long")
    func orderOfMany() {
        var random = SplitMix64(seed: 3, stream: 3)
        for start in ["", "cust_", "ä"] {
            var set = CustomerSet()
            for _ in 0..<500 {
                let middle = Bool.random(using: &random) ? "0000000000" : ""
                _ = set.insert("\(start)\(middle)\(Int.random(in: 0..<10_000, using: &random))".utf8.span)
            }
            let ids = set.sorted().map { Array(set.id($0)) }
            #expect(ids.count == set.count && zip(ids, ids.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
        }
    }
}
