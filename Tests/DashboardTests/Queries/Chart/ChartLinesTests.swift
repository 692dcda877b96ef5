import Foundation
import Testing

@testable import Dashboard

struct LinesTests {
    @Test(
        "buckets are as narrow as the number of points allows",
        arguments: [(60, 400), (3600, 400), (86_400, 400), (31 * 86_400, 400), (31 * 86_400, 10), (1, 10)])
    func allows(_ seconds: Int64, _ points: Int) {
        let range = TimeRange(from: 999_999, until: 999_999 + seconds * 1_000_000)
        let width = ChartLines.bucketSeconds(for: range, points)
        #expect(width >= 1)
        let first = range.from / 1_000_000 / width
        let last = (range.until - 1) / 1_000_000 / width
        #expect(last - first + 1 <= points)
    }
}
