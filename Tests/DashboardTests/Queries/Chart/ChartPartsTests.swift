import Testing

@testable import Dashboard

struct PartsTests {
    private static let minute: Int64 = 60_000_000

    @Test(
        "the parts of a range are all of it, one after the other, of whole roll-ups that fit into the buckets",
        arguments: [1, 30, 60, 90, 300, 3600, 43_200, 86_400, 172_800] as [Int64])
    func parts(bucketSeconds: Int64) throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Also before 1970, and from or until the begin of a minute, an hour or a day.
            let units: [Int64] = [1, Self.minute, 60 * Self.minute, 1440 * Self.minute]
            let unit: Int64 = units.randomElement(using: &generator) ?? 1
            let moment: Int64 = .random(in: -2_000_000_000_000_000...2_000_000_000_000_000, using: &generator)
            let length: Int64 = .random(in: 1...400_000_000_000, using: &generator)
            let from: Int64 = moment / unit * unit
            let until: Int64 = from + length / unit * unit + 1
            let found = ChartParts(of: TimeRange(from: from, until: until), bucketSeconds: bucketSeconds).parts
            #expect(found.first?.range.from == from && found.last?.range.until == until)
            for (one, next) in zip(found, found.dropFirst()) { #expect(one.range.until == next.range.from) }
            for part in found {
                #expect(part.range.from < part.range.until)
                guard part.width > 0 else { continue }
                #expect([1, 60, 1440].contains(part.width) && bucketSeconds % (part.width * 60) == 0)
                let size = part.width * Self.minute
                #expect(part.range.from % size == 0 && part.range.until % size == 0)
            }
            let ends = found.filter { $0.width == 0 }.map(\.range)
            let rest: Int64 = ends.map { $0.until - $0.from }.reduce(0, +)
            if bucketSeconds % 60 == 0 { #expect(rest < 2 * Self.minute) }
        }
    }

    @Test("a year in days has the ends of its range from hours, minutes and readings")
    func year() {
        let day = 1440 * Self.minute
        let range = TimeRange(from: day - 61 * Self.minute - 1, until: 300 * day + 61 * Self.minute + 1)
        let found = ChartParts(of: range, bucketSeconds: 86_400).parts
        #expect(found.map(\.width) == [0, 1, 60, 1440, 60, 1, 0])
        #expect(found[3].range == TimeRange(from: day, until: 300 * day))
    }
}
