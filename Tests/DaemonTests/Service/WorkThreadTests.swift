import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite struct WorkThreadTests {
    @Test("runs its body under its name")
    func runs() throws {
        let name = Mutex("")
        let thread = try WorkThread(name: "intake-with-a-long-name") {
            let comm = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            name.withLock { $0 = comm ?? "" }
        }
        thread.join()
        thread.join()
        #expect(name.withLock { $0 } == "intake-with-a-l\n")
    }

    @Test("a join can give up")
    func up() throws {
        let stop = StopSignal()
        let thread = try WorkThread(name: "slow") { _ = stop.wait(for: .seconds(600)) }
        #expect(!thread.join(within: .milliseconds(1)))
        stop.request()
        #expect(thread.join(within: .seconds(600)))
    }

    @Test("what the body holds is released")
    func released() throws {
        final class Held: Sendable {}
        weak var held: Held?
        do {
            let kept = Held()
            held = kept
            try WorkThread(name: "holder") { _ = kept }.join()
        }
        // The thread lets go just after the join.
        while held != nil { sched_yield() }
    }
}
