internal import Daemon

/// Sends to one receiver on a thread of its own, so that one that does not answer holds up no other.
final class Sender: Sendable {
    /// What it is given to do at a time.
    enum Job: Sendable {
        /// To be sent one after the other, as far as it goes.
        case send([EpisodeEvent])
        /// To be told once more that they are open.
        case refresh([EpisodeEvent])
    }

    /// What has become of a job's event; of no event for a refresh.
    struct Report: Sendable {
        let event: EpisodeEvent?
        let outcome: Outcome
    }

    private struct State {
        var job: Job?
        var isBusy = false
        var reports: [Report] = []
    }

    let receiver: Receiver
    private let state = Monitor(State())
    private let stopping = StopSignal()
    private let aborting = StopSignal()
    private let loop: WorkLoop
    private let thread: WorkThread

    /// Starts the thread.
    ///
    /// - Parameter loop: what the watchdog watches.
    /// - Throws: `SystemError` when the system has no thread left.
    init(_ receiver: Receiver, _ settings: Settings, loop: WorkLoop) throws(SystemError) {
        (self.receiver, self.loop) = (receiver, loop)
        let (state, stopping, aborting) = (state, stopping, aborting)
        thread = try WorkThread(name: receiver.name) {
            Worker(state: state, stopping: stopping, aborting: aborting, loop: loop).run(receiver, settings)
        }
    }

    /// Whether it can be given something.
    var isIdle: Bool { state.withLock { !$0.isBusy && $0.reports.isEmpty } }

    /// Gives it something to do. It has to be idle.
    func give(_ job: Job) {
        state.withLock { state in
            state.job = job
            state.isBusy = true
        }
        state.wakeAll()
    }

    /// What has become of events since the last time.
    func takeReports() -> [Report] {
        state.withLock { state in
            defer { state.reports = [] }
            return state.reports
        }
    }

    /// Has it begin nothing more.
    func stop() {
        stopping.request()
        state.wakeAll()
    }

    /// Waits for its end; what has not ended by then is broken off.
    func join(within duration: Duration) {
        if thread.join(within: duration) { return }
        aborting.request()
        _ = thread.join(within: .seconds(2))
    }

    /// What the thread does.
    private struct Worker {
        let state: Monitor<State>
        let stopping: StopSignal
        let aborting: StopSignal
        let loop: WorkLoop

        func run(_ receiver: Receiver, _ settings: Settings) {
            // Its connection lives from job to job.
            var kept: Carrier?
            while !stopping.isRequested {
                loop.progressed()
                guard let job = state.wait(milliseconds: 1000, { stopping.isRequested ? nil : $0.job }) else {
                    continue
                }
                do {
                    let carrier = try kept ?? Carrier(receiver, settings)
                    kept = carrier
                    perform(job, by: carrier)
                } catch {
                    report(nil, .unavailable("\(error)"))
                }
                state.withLock { state in
                    state.job = nil
                    state.isBusy = false
                }
            }
        }

        private func perform(_ job: Job, by carrier: Carrier) {
            switch job {
            case .refresh(let events): report(nil, carrier.refresh(events, while: goesOn))
            case .send(let events):
                for event in events where !stopping.isRequested {
                    let outcome = carrier.send(event, while: goesOn)
                    report(event, outcome)
                    // What comes after it would overtake it.
                    if case .unavailable = outcome { return }
                }
            }
        }

        /// A transfer that takes its time is no loop that hangs.
        private func goesOn() -> Bool {
            loop.progressed()
            return !aborting.isRequested
        }

        private func report(_ event: EpisodeEvent?, _ outcome: Outcome) {
            loop.progressed()
            state.withLock { $0.reports.append(Report(event: event, outcome: outcome)) }
        }
    }
}
