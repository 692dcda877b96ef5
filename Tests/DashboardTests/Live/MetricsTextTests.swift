import Foundation
import Testing

@testable import Dashboard

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
