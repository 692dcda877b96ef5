internal import Logging
internal import Synchronization
internal import Systemd

/// What every daemon measures.
struct OwnMetrics {
    let needs: [Dependency]
    let ready: Metrics.Gauge
    let updated: Metrics.Gauge
    let waitingSince: [Dependency: Metrics.Gauge]
    let reconnects: [Dependency: Metrics.Counter]

    init(_ metrics: Metrics, _ needs: [Dependency]) {
        self.needs = needs
        metrics.gauge("heartbeat_build_info", "The program's version.", labels: ["version": heartbeatVersion]).set(1)
        ready = metrics.gauge("heartbeat_ready", "Whether all servers that the daemon needs answer.")
        ready.set(0)
        updated = metrics.gauge("heartbeat_updated_timestamp_seconds", "When these figures were written.")
        waitingSince = Dictionary(
            needs.map { need in
                (
                    need,
                    metrics.gauge(
                        "heartbeat_waiting_since_timestamp_seconds",
                        "Since when a server is waited for; absent while it answers.", labels: ["for": need.rawValue])
                )
            }
        ) { first, _ in first }
        reconnects = Dictionary(
            needs.map { need in
                (
                    need,
                    metrics.counter(
                        "heartbeat_reconnects_total", "How often a server came back.", labels: ["system": need.rawValue]
                    )
                )
            }
        ) { first, _ in first }
    }
}

extension Service {
    /// What the reporting thread remembers.
    private struct Reported {
        var text = ""
        var lastStatus: ContinuousClock.Instant?
        var lastFile: ContinuousClock.Instant?
        var watchdog: WatchdogRounds?
    }

    /// The reporting thread: sends what is due until the daemon ends.
    func report() {
        var reported = Reported()
        let interval = Watchdog.interval
        reported.watchdog = interval.map { WatchdogRounds(interval: $0, at: start) }
        let pace = min(.milliseconds(250), interval.map { $0 / 8 } ?? .milliseconds(250))
        while !ended.wait(for: pace) {
            let now = ContinuousClock.now
            let condition = condition.withLock { $0 }
            if !condition.sentence.isReady { endIfLate(condition, at: now) }
            judgeLoops(condition, &reported, at: now)
            if condition.sentence.text != reported.text, isDue(reported.lastStatus, now) {
                reported.lastStatus = now
                reported.text = condition.sentence.text
                notify(.status(reported.text))
            }
            if isDue(reported.lastFile, now) {
                reported.lastFile = now
                writeMetrics(hasFailedBefore: condition.hasNoMetricsFile)
            }
        }
    }

    private func isDue(_ last: ContinuousClock.Instant?, _ now: ContinuousClock.Instant) -> Bool {
        last.map { now - $0 >= .seconds(1) } ?? true
    }

    /// Ends the daemon when a server has not answered for as long as the settings allow.
    private func endIfLate(_ condition: Condition, at now: ContinuousClock.Instant) {
        let waited = now - start
        guard startTimeout > .zero, waited >= startTimeout, condition.failure == nil,
            let waiting = condition.sentence.waiting.first
        else { return }
        let failure = CommandFailure(
            .unavailable,
            """
            timed out after \(Int(waited / .seconds(1))) s waiting for \(waiting.dependency.rawValue): \
            \(waiting.cause)
            """, hint: "START_TIMEOUT_SECONDS says how long it may wait for the first answer")
        self.condition.withLock { $0.failure = failure }
        stop.request()
    }

    private func judgeLoops(_ condition: Condition, _ reported: inout Reported, at now: ContinuousClock.Instant) {
        // Without a loop there is no evidence of anything.
        guard reported.watchdog != nil, !condition.loops.isEmpty else { return }
        switch reported.watchdog?.judge(condition.loops.map(\.count), at: now) {
        case .progress:
            notify(.watchdog)
            if !condition.sentence.stalled.isEmpty { self.condition.withLock { $0.sentence.stalled = [] } }
        case .stalled(let places):
            let names = places.map { condition.loops[$0].name }
            self.condition.withLock { $0.sentence.stalled = names }
            let seconds = Int((reported.watchdog?.silence(at: now) ?? .zero) / .seconds(1))
            let list = names.joined(separator: ", ")
            logger.report(
                .stalled, "no progress for \(seconds) s: \(list). The watchdog is not told that the work goes on",
                fields: ["HEARTBEAT_LOOP": "\(list)", "HEARTBEAT_SECONDS": "\(seconds)"])
        case .wait, nil: break
        }
    }

    private func writeMetrics(hasFailedBefore: Bool) {
        own.updated.set(Double(wallClockMicroseconds()) / 1e6)
        do throws(SystemError) {
            try replaceFile(metricsPath, with: metrics.text)
            if hasFailedBefore { condition.withLock { $0.hasNoMetricsFile = false } }
        } catch {
            guard !hasFailedBefore else { return }
            condition.withLock { $0.hasNoMetricsFile = true }
            logger.info("no metrics: unable to write \"\(metricsPath)\": \(error)")
        }
    }
}
