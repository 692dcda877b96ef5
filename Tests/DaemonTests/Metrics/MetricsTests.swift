import Testing

@testable import Daemon

@Suite struct MetricsTests {
    @Test("is Prometheus text format")
    func format() {
        let metrics = Metrics(instance: "consumer-1")
        let first = metrics.counter("heartbeat_x_total", "How many.", labels: ["reason": "a\"b\\c\nd"])
        let gauge = metrics.gauge("heartbeat_y", "How much.")
        let absent = metrics.gauge("heartbeat_z", "Not known.")
        let second = metrics.counter("heartbeat_x_total", "Not shown.", labels: ["reason": "b"])
        let histogram = metrics.histogram("heartbeat_s", "How long.", buckets: [0.5, 1, 10])
        first.add(2)
        first.add()
        second.add(0)
        gauge.set(2)
        gauge.set(0.25)
        absent.set(1)
        absent.set(nil)
        for number in [0.5, 0.75, 1, 7, 11] { histogram.observe(number) }
        #expect(
            metrics.text == #"""
                # HELP heartbeat_x_total How many.
                # TYPE heartbeat_x_total counter
                heartbeat_x_total{daemon="consumer-1",reason="a\"b\\c\nd"} 3
                heartbeat_x_total{daemon="consumer-1",reason="b"} 0
                # HELP heartbeat_y How much.
                # TYPE heartbeat_y gauge
                heartbeat_y{daemon="consumer-1"} 0.25
                # HELP heartbeat_s How long.
                # TYPE heartbeat_s histogram
                heartbeat_s_bucket{daemon="consumer-1",le="0.5"} 1
                heartbeat_s_bucket{daemon="consumer-1",le="1"} 3
                heartbeat_s_bucket{daemon="consumer-1",le="10"} 4
                heartbeat_s_bucket{daemon="consumer-1",le="+Inf"} 5
                heartbeat_s_sum{daemon="consumer-1"} 20.25
                heartbeat_s_count{daemon="consumer-1"} 5

                """#)
    }
}
