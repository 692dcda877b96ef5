import Daemon
import Dashboard

/// How long the page's questions take beside what the benchmark has stored.
struct PageMeasure {
    private static let rounds = 50

    static func run(
        on ground: BenchmarkGround, _ stop: StopSignal, _ course: Course
    ) throws -> [BenchmarkResults.Query] {
        let times = try QueryTimes(ground.parameters, rounds: Self.rounds) { !stop.isRequested }
        try course.expectGoing()
        return times.questions.map { question in
            BenchmarkResults.Query(
                name: question.name, p50: LatencyMeasure.percentile(question.milliseconds, 50),
                p99: LatencyMeasure.percentile(question.milliseconds, 99))
        }
    }
}
