import Foundation
import Testing

@testable import Daemon

struct MetricsTextTests {
    @Test("labels may have any text")
    func text() throws {
        var metrics = MetricsText()
        metrics.add(#"a{x="1,}\" \\ \n",y=""} 2.5 1700000000"# + "\n")
        let sample = try #require(metrics.samples("a").first)
        #expect(sample.labels == ["x": "1,}\" \\ \n", "y": ""])
        #expect(sample.value == 2.5)
    }

    @Test(
        "lines that are no metrics are left out",
        arguments: ["1a 2", "a", "a x", "a{b} 1", "a{b=\"c} 1", "a{b=\"c\"", "{} 1", "a{b=\"c\"} 1 2 3", "a 0x"])
    func out(_ line: String) {
        var metrics = MetricsText()
        metrics.add("ok 1\n\(line)\n")
        #expect(metrics.text == "ok 1\n")
    }

    @Test("what a daemon writes is read back as it was")
    func roundTrip() throws {
        let written = Metrics(instance: "consumer-1")
        let hostile = "a\"b\\c\nd,e}=\u{202e}"
        written.counter("heartbeat_x_total", "How many.", labels: ["reason": hostile]).add(3)
        written.gauge("heartbeat_y", "How much.").set(0.25)
        var read = MetricsText()
        read.add(written.text)
        #expect(read.text == written.text)
        let sample = try #require(read.samples("heartbeat_x_total").first)
        #expect(sample.labels == ["daemon": "consumer-1", "reason": hostile] && sample.value == 3)
        #expect(read.samples("heartbeat_y").first?.value == 0.25)
    }
}
