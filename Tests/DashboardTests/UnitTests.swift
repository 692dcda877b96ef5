import Foundation
import Testing

@testable import Dashboard

struct CustomerTableTests {
    private func row(_ id: String, _ readings: Int64, at time: Int64 = 1_000_000_000) -> CustomerTable.Row {
        CustomerTable.Row(
            id: id, recordedAt: time, heartRate: 70, isAnomaly: false, reason: nil, readings: readings, anomalies: 0)
    }

    @Test func aCustomerKeepsAPlaceAmongTheMostActiveUntilAnotherIsClearlyMoreSo() {
        var table = CustomerTable()
        let ids = "abcdefgh".map(String.init)
        table.update(ids.map { row($0, 100) }, at: 1_000_000_000)
        #expect(table.mostActive == ["a", "b", "c", "d", "e", "f"])
        // As active as the six: nothing changes. Clearly more: the place of the least active, in its line.
        table.update(ids.map { row($0, $0 == "g" ? 110 : 109) }, at: 1_001_000_000)
        #expect(table.mostActive == ["a", "b", "c", "d", "e", "f"])
        table.update(ids.map { row($0, $0 == "g" ? 200 : $0 == "c" ? 110 : 150) }, at: 1_002_000_000)
        #expect(table.mostActive == ["a", "b", "g", "d", "e", "f"])
    }

    @Test func whoIsSilentForFiveMinutesIsNotActive() {
        var table = CustomerTable()
        table.update([row("a", 100), row("b", 5, at: 1_290_000_000)], at: 1_301_000_000)
        #expect(table.mostActive == ["b"])
    }

    @Test func aTraceHasTheLatestReadings() throws {
        var table = CustomerTable()
        for second in 1...40 {
            table.update([row("a", 1, at: Int64(second) * 1_000_000)], at: Int64(second) * 1_000_000)
        }
        // Seen twice, there once.
        table.update([row("a", 1, at: 40_000_000)], at: 41_000_000)
        #expect(table.customer("a")?.trace.map(\.milliseconds) == (11...40).map { Int64($0) * 1000 })
    }

    @Test func olderReadingsCompleteATrace() {
        var table = CustomerTable()
        table.update([row("a", 1, at: 10_000_000)], at: 10_000_000)
        table.completeTrace(of: "a", with: [8000, 9000, 10_000].map { Point($0, 60, isAnomaly: false) })
        #expect(table.customer("a")?.trace.map(\.milliseconds) == [8000, 9000, 10_000])
        #expect(table.customer("a")?.isTraceComplete == true)
    }

    @Test func customersThatAreGoneAreGone() {
        var table = CustomerTable()
        table.update([row("a", 1), row("b", 1)], at: 1_000_000_000)
        table.update([row("b", 2)], at: 1_001_000_000)
        #expect(table.customer("a") == nil)
        #expect(table.customer("b")?.row.readings == 2)
        #expect(table.mostActive == ["b"])
    }
}

struct LivePointsTests {
    private func reading(_ second: Int64, _ bpm: Int64) -> LivePoints.Reading {
        LivePoints.Reading(recordedAt: second * 1_000_000, heartRate: bpm, isAnomaly: false)
    }

    @Test func aReadingIsInTheEventsOfSomeSecondsAndThenNoMore() {
        var live = LivePoints()
        live.add(["a": [reading(100, 70)]], ["a"], at: 100_000_000)
        live.add(["a": [reading(100, 70), reading(101, 71)]], ["a"], at: 101_000_000)
        #expect(live.recent["a"]?.map(\.milliseconds) == [100_000, 101_000])
        live.add([:], ["a"], at: 105_500_000)
        #expect(live.recent["a"]?.map(\.milliseconds) == [101_000])
        live.add([:], ["a"], at: 110_000_000)
        #expect(live.recent.isEmpty)
    }

    @Test func aReadingFromTheFutureHidesNoneThatComesAfterIt() throws {
        var live = LivePoints()
        live.add(["a": [reading(400, 70)]], ["a"], at: 100_000_000)
        let horizon = try #require(live.horizons(of: ["a"], at: 101_000_000).first)
        #expect(horizon.from < 101_000_000)
    }

    @Test func ofManyReadingsTheExtremesAreKept() {
        var readings = (0..<1000).map { reading(Int64($0), 70) }
        readings[537].heartRate = 250
        readings[538].heartRate = 20
        let points = LivePoints.extremes(readings)
        #expect(points.count <= 20)
        #expect(points.contains(Point(537_000, 250, isAnomaly: false)))
        #expect(points.contains(Point(538_000, 20, isAnomaly: false)))
    }
}

struct LinesTests {
    @Test(arguments: [(60, 400), (3600, 400), (86_400, 400), (31 * 86_400, 400), (31 * 86_400, 10), (1, 10)])
    func bucketsAreAsNarrowAsTheNumberOfPointsAllows(_ seconds: Int64, _ points: Int) {
        let range = TimeRange(from: 999_999, until: 999_999 + seconds * 1_000_000)
        let width = Lines.bucketSeconds(for: range, points)
        #expect(width >= 1)
        let first = range.from / 1_000_000 / width
        let last = (range.until - 1) / 1_000_000 / width
        #expect(last - first + 1 <= points)
    }
}

struct MetricsTextTests {
    @Test func labelsMayHaveAnyText() throws {
        var metrics = MetricsText()
        metrics.add(#"a{x="1,}\" \\ \n",y=""} 2.5 1700000000"# + "\n")
        let sample = try #require(metrics.samples("a").first)
        #expect(sample.labels == ["x": "1,}\" \\ \n", "y": ""])
        #expect(sample.value == 2.5)
    }

    @Test(arguments: ["1a 2", "a", "a x", "a{b} 1", "a{b=\"c} 1", "a{b=\"c\"", "{} 1", "a{b=\"c\"} 1 2 3", "a 0x"])
    func linesThatAreNoMetricsAreLeftOut(_ line: String) {
        var metrics = MetricsText()
        metrics.add("ok 1\n\(line)\n")
        #expect(metrics.text == "ok 1\n")
    }
}

struct PageFileTests {
    @Test func thePageInTheProgramIsThatOfTheFolder() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let folder = tests.deletingLastPathComponent().deletingLastPathComponent().path + "/Sources/Dashboard/Page/"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(PageFile.all.map(\.name)) == Set(names))
        for file in PageFile.all {
            #expect(FileManager.default.contents(atPath: folder + file.name).map(Array.init) == file.bytes)
        }
    }
}
