import Foundation
import Testing

@testable import Dashboard

struct LivePointsTests {
    private func reading(_ second: Int64, _ bpm: Int64) -> LivePoints.Reading {
        LivePoints.Reading(recordedAt: second * 1_000_000, heartRate: bpm, isAnomaly: false)
    }

    @Test("a reading is in the events of some seconds and then no more")
    func seconds() {
        var live = LivePoints()
        live.add(["a": [reading(100, 70)]], ["a"], at: 100_000_000)
        live.add(["a": [reading(100, 70), reading(101, 71)]], ["a"], at: 101_000_000)
        #expect(live.recent.first?.points.map(\.milliseconds) == [100_000, 101_000])
        live.add([:], ["a"], at: 105_500_000)
        #expect(live.recent.first?.points.map(\.milliseconds) == [101_000])
        live.add([:], ["a"], at: 110_000_000)
        #expect(live.recent.isEmpty)
    }

    @Test("a reading from the future hides none that comes after it")
    func after() throws {
        var live = LivePoints()
        live.add(["a": [reading(400, 70)]], ["a"], at: 100_000_000)
        let horizon = try #require(live.horizons(of: ["a"], at: 101_000_000).first)
        #expect(horizon.from < 101_000_000)
    }

    @Test("of many readings the extremes are kept")
    func kept() {
        var readings = (0..<1000).map { reading(Int64($0), 70) }
        readings[537].heartRate = 250
        readings[538].heartRate = 20
        let points = LivePoints.extremes(readings)
        #expect(points.count <= 20)
        #expect(points.contains(Point(537_000, 250, isAnomaly: false)))
        #expect(points.contains(Point(538_000, 20, isAnomaly: false)))
    }
}
