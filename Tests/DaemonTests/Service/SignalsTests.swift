import Daemon
import Glibc
import Testing

/// Real signals, each test in a process of its own.
@Suite struct SignalsTests {
    @Test("the first signal asks to stop", arguments: [SIGTERM, SIGINT])
    func first(signal: Int32) async {
        await #expect(processExitsWith: .exitCode(7)) { [signal] in
            let signals = try Signals.install()
            #expect(!signals.stop.isRequested)
            #expect(!signals.stop.wait(for: .zero))
            kill(getpid(), signal)
            #expect(signals.stop.wait(for: .seconds(60)))
            #expect(signals.stop.isRequested)
            exit(7)
        }
    }

    @Test("the second signal ends the process", arguments: [SIGTERM, SIGINT])
    func process(signal: Int32) async {
        await #expect(processExitsWith: .exitCode(128 + signal)) { [signal] in
            let signals = try Signals.install()
            kill(getpid(), SIGTERM)
            #expect(signals.stop.wait(for: .seconds(60)))
            kill(getpid(), signal)
            // A loop that never looks at the wish to stop.
            while true { pause() }
        }
    }

    @Test("a hang up asks to reload once")
    func once() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let signals = try Signals.install()
            #expect(!signals.takeReloadRequest())
            kill(getpid(), SIGHUP)
            while !signals.takeReloadRequest() { usleep(1000) }
            #expect(!signals.takeReloadRequest())
            #expect(!signals.stop.isRequested)
            exit(7)
        }
    }

    @Test("a closed pipe ends nothing")
    func nothing() async {
        await #expect(processExitsWith: .exitCode(7)) {
            _ = try Signals.install()
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            close(ends[0])
            #expect(write(ends[1], ends, 1) == -1 && errno == EPIPE)
            exit(7)
        }
    }

    @Test("a system call that a signal interrupts goes on")
    func goes() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let signals = try Signals.install()
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let (input, output, reader) = (ends[0], ends[1], pthread_self())
            // The test runs on a thread of libdispatch, and those take no signals.
            var hangUp = sigset_t()
            sigemptyset(&hangUp)
            sigaddset(&hangUp, SIGHUP)
            pthread_sigmask(SIG_UNBLOCK, &hangUp, nil)
            let writer = try WorkThread(name: "writer") {
                pthread_kill(reader, SIGHUP)
                while !signals.takeReloadRequest() { usleep(1000) }
                _ = write(output, [UInt8(1)], 1)
            }
            var byte: UInt8 = 0
            #expect(read(input, &byte, 1) == 1)
            writer.join()
            exit(7)
        }
    }
}

@Suite struct StopSignalTests {
    @Test("wakes every thread that waits")
    func waits() throws {
        let stop = StopSignal()
        let threads = try (0..<4).map { _ in
            try WorkThread(name: "waiter") {
                #expect(stop.wait(for: .seconds(600)))
            }
        }
        #expect(!stop.wait(for: .milliseconds(1)))
        stop.request()
        stop.request()
        for thread in threads { thread.join() }
        #expect(stop.isRequested)
        #expect(stop.wait(for: .zero) && stop.wait(for: .seconds(1 << 40)))
    }

    @Test("may go away unasked")
    func unasked() {
        #expect(!StopSignal().wait(for: .seconds(-1)))
    }
}
