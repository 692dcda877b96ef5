import Testing

@testable import Producer

@Suite struct ScheduleTests {
    /// Computed from the start, however late it is: 10^9 readings of a customer are 31 years at one a second.
    @Test("does not drift", arguments: [0, 1, 59, 86_400, 1_000_000_007, 1_000_000_000] as [Int64])
    func drift(tick: Int64) {
        #expect(Schedule.due(tick: tick, customer: 0, of: 1, interval: 1_000_000_000) == tick * 1_000_000_000)
        // 0.1 s is no finite binary fraction: a sum of them would be wrong after a while.
        #expect(Schedule.due(tick: tick, customer: 0, of: 3, interval: 100_000_000) == tick * 100_000_000)
        #expect(Schedule.due(tick: tick, customer: 2, of: 3, interval: 100_000_000) == tick * 100_000_000 + 66_666_666)
    }

    @Test("spreads the customers evenly")
    func evenly() {
        var schedule = Schedule(customers: 4, interval: .milliseconds(1))
        var due: [Int64] = []
        for _ in 0..<9 {
            due.append(schedule.due)
            schedule.advance()
        }
        #expect(due == [0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000, 1_500_000, 1_750_000, 2_000_000])
    }

    @Test(
        "spreads any number over any interval",
        arguments: [(1_000_000, 0.001), (1_000_000, 3600.0), (99_991, 1.0), (7, 0.001)])
    func spreads(customers: Int, seconds: Double) {
        var schedule = Schedule(customers: customers, interval: .seconds(seconds))
        let gap = schedule.interval / Int64(customers)
        var last: Int64 = -1
        var isEven = true
        for _ in 0..<2 * customers {
            if last >= 0, !(gap...gap + 1).contains(schedule.due - last) { isEven = false }
            last = schedule.due
            schedule.advance()
        }
        #expect(isEven)
        #expect(schedule.due == 2 * schedule.interval)
    }

    /// The schedule knows no clock, so whoever comes late finds each reading that has become due meanwhile.
    @Test("skips nothing however late it is")
    func late() {
        var schedule = Schedule(customers: 20, interval: .seconds(1))
        let now: Int64 = 3_600_000_000_000
        var readings = [Int](repeating: 0, count: 20)
        while schedule.due <= now {
            #expect(schedule.tick == readings[schedule.customer])
            readings[schedule.customer] += 1
            schedule.advance()
        }
        #expect(readings == [3601] + [Int](repeating: 3600, count: 19))
    }

    @Test("replays at the recorded pace or faster")
    func faster() {
        #expect(dueTime(after: 1_500_000, speed: 1) == 1_500_000_000)
        #expect(dueTime(after: 1_500_000, speed: 10) == 150_000_000)
        #expect(dueTime(after: 1_500_000, speed: 0.5) == 3_000_000_000)
        // A month of a wearable, to the microsecond.
        #expect(dueTime(after: 2_592_000_000_001, speed: 1) == 2_592_000_000_001_000)
        // Out of order: at once.
        #expect(dueTime(after: -1, speed: 1) < 0)
        // From the year 1 to the year 9999, which nobody waits for, but which must not trap.
        #expect(dueTime(after: 315_537_897_599_999_999, speed: 0.001) == 1 << 62)
        #expect(dueTime(after: -315_537_897_599_999_999, speed: 0.001) == -1 << 62)
    }
}
