@testable import Database
import Testing

@Suite("How long the disk lasts") struct DiskForecastTests {
    /// Bytes a day, and in how many days that ends; nil for never.
    typealias Growth = (bytes: Int64, steadyIn: Int?)

    private static func days(_ free: Int64, _ growths: Growth...) -> Int? {
        DiskForecast(freeBytes: free, growths.map { .init(bytesPerDay: $0.bytes, steadyIn: $0.steadyIn) }).daysUntilFull
    }

    @Test("readings alone last until they are dropped, or until the disk is full")
    func readings() {
        #expect(Self.days(1000, (100, 9)) == nil)
        #expect(Self.days(1000, (100, 10)) == 10)
        #expect(Self.days(1000, (100, 30)) == 10)
        #expect(Self.days(1000, (100, nil)) == 10)
        #expect(Self.days(1000, (100, 0)) == nil, "as much is dropped as comes")
        #expect(Self.days(99, (100, 30)) == 0)
    }

    @Test("roll-ups grow beside readings, and go on when those are dropped")
    func rollups() {
        #expect(Self.days(1000, (90, 30), (10, nil)) == 10, "full while both grow")
        #expect(Self.days(1000, (90, 5), (10, nil)) == 55, "500 are left after 5 days, for 50 days of roll-ups")
        #expect(Self.days(1000, (90, 5), (10, 55)) == 55)
        #expect(Self.days(1000, (90, 5), (10, 54)) == nil, "10 are left when both are dropped")
        #expect(Self.days(1000, (0, nil), (10, nil)) == 100)
        #expect(Self.days(1000, (90, 0), (10, 0)) == nil)
        #expect(Self.days(1 << 40, (5 << 30, 90), (5 << 20, 3650)) == nil)
        #expect(Self.days(1 << 40, (5 << 30, nil), (5 << 20, nil)) == 204)
    }
}
