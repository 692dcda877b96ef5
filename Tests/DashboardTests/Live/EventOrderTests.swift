import Testing

@testable import Dashboard

@Suite struct EventOrderTests {
    @Test("without a hole everything is there at once")
    func contiguous() {
        var order = EventOrder(after: 4)
        order.take(oldest: 90, next: 100, numbers: [5, 6, 7])
        #expect(order.complete == 7)
        order.take(oldest: 90, next: 100, numbers: [])
        order.take(oldest: 90, next: 100, numbers: [8])
        #expect(order.complete == 8)
    }

    @Test("behind a hole it waits until it is filled")
    func filled() {
        var order = EventOrder(after: 4)
        order.take(oldest: 90, next: 100, numbers: [5, 7, 8])
        #expect(order.complete == 5)
        order.take(oldest: 90, next: 101, numbers: [7, 8, 9])
        #expect(order.complete == 5, "transaction 90 may fill it")
        order.take(oldest: 95, next: 102, numbers: [6, 7, 8, 9])
        #expect(order.complete == 9)
    }

    @Test("behind a hole it waits until nobody is left who could fill it, and for nobody who came later")
    func abandoned() {
        var order = EventOrder(after: 4)
        order.take(oldest: 90, next: 100, numbers: [6, 7])
        // 101 is the next after the hole was seen; 100 may have begun before it.
        order.take(oldest: 100, next: 101, numbers: [6, 7, 8])
        #expect(order.complete == 4)
        order.take(oldest: 101, next: 110, numbers: [6, 7, 8])
        #expect(order.complete == 8, "8 follows without another hole")
        order.take(oldest: 101, next: 111, numbers: [10])
        order.take(oldest: 105, next: 112, numbers: [10])
        #expect(order.complete == 8)
        order.take(oldest: 112, next: 113, numbers: [10])
        #expect(order.complete == 10)
    }

    @Test("a hole is passed at once when nobody is writing")
    func quiet() {
        var order = EventOrder(after: 0)
        order.take(oldest: 100, next: 100, numbers: [40])
        #expect(order.complete == 0)
        order.take(oldest: 100, next: 100, numbers: [40])
        #expect(order.complete == 40)
    }
}
