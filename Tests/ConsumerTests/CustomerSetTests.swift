import Testing

@testable import Consumer

@Suite("Customers that are known") struct CustomerSetTests {
    private func bytes(_ id: String) -> [UInt8] { Array(id.utf8) }

    @Test("an id is new once, however many there are")
    func growth() {
        var customers = CustomerSet()
        var numbers: Set<Int> = []
        for index in 0..<100_000 {
            let (number, isNew) = customers.insert(bytes("customer \(index)").span)
            #expect(isNew)
            numbers.insert(number)
        }
        #expect(customers.count == 100_000)
        #expect(numbers.count == 100_000, "each has a number of its own")
        for index in 0..<100_000 {
            let (number, isNew) = customers.insert(bytes("customer \(index)").span)
            #expect(!isNew && numbers.contains(number))
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
        for id in ids { #expect(customers.insert(bytes(id).span).isNew, "\(id)") }
        for id in ids { #expect(!customers.insert(bytes(id).span).isNew, "\(id)") }
    }

    @Test("the number stays the same as long as nothing is forgotten, also when the table grows")
    func numbers() {
        var customers = CustomerSet()
        let first = customers.insert(bytes("first").span).number
        for index in 0..<1000 { _ = customers.insert(bytes("\(index)").span) }
        #expect(customers.insert(bytes("first").span) == (first, false))
    }

    @Test("beyond its limit it starts over: known ones are new again, and its memory is bounded")
    func limit() {
        var customers = CustomerSet(mostCustomers: 100)
        for index in 0..<100 { #expect(customers.insert(bytes("\(index)").span).isNew) }
        for index in 0..<100 { #expect(!customers.insert(bytes("\(index)").span).isNew) }
        #expect(customers.insert(bytes("one more").span).isNew)
        #expect(customers.count == 1)
        #expect(customers.insert(bytes("0").span).isNew)
        for index in 1000..<10_000 {
            _ = customers.insert(bytes("\(index)").span)
            #expect(customers.count <= 100)
        }
    }

    @Test("the id that makes it start over is known afterwards")
    func knownAfterStartingOver() {
        for attempt in 0..<200 {
            var customers = CustomerSet(mostCustomers: 100)
            for index in 0..<100 { _ = customers.insert(bytes("\(index)").span) }
            let id = bytes("another \(attempt)")
            #expect(customers.insert(id.span).isNew)
            #expect(!customers.insert(id.span).isNew, "attempt \(attempt)")
        }
    }

    @Test("forgetting everything")
    func removeAll() {
        var customers = CustomerSet()
        _ = customers.insert(bytes("a").span)
        customers.removeAll()
        #expect(customers.count == 0)
        #expect(customers.insert(bytes("a").span).isNew)
    }
}
