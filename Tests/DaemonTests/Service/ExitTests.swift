import ArgumentParser
import Daemon
import Testing

/// A whole program, run in a process of its own by each test.
private struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "program", discussion: schema.help)

    @OptionGroup var options: SettingsOptions
    @Option var fail: String?

    func run() throws {
        guard let settings = try options.load(schema, environment: ["BATCH_ROWS": "5"]) else { return }
        switch fail {
        case "unavailable": throw CommandFailure(.unavailable, "unable to connect: no\nroute", hint: "start Kafka")
        case "3": throw ExitCode(3)
        case "1": throw ExitCode.failure
        case "other": throw SystemFailure()
        default: print("running with \(settings[.batchRows])")
        }
    }
}

private struct SystemFailure: Error, CustomStringConvertible {
    var description: String { "it broke" }
}

extension ExitTest.Result? {
    fileprivate var output: String { String(decoding: self?.standardOutputContent ?? [], as: UTF8.self) }
    fileprivate var complaint: String { String(decoding: self?.standardErrorContent ?? [], as: UTF8.self) }
}

@Suite struct ExitTests {
    @Test("success is status 0")
    func exitsWithSuccess() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runAndExit([])
        }
        #expect(result.output.contains("running with 5\n"))
    }

    @Test("print config runs nothing")
    func nothing() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runAndExit(["--print-config"])
        }
        #expect(result.output.contains("# from the environment\nBATCH_ROWS=5\n"))
        #expect(!result.output.contains("running"))
    }

    @Test("check config runs nothing")
    func check() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runAndExit(["--check-config"])
        }
        #expect(result.output.contains("example settings: OK\n"))
        #expect(!result.output.contains("running"))
    }

    @Test("print default config looks at no settings")
    func looksSettings() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runAndExit(["--print-default-config", "--config", "/nowhere"])
        }
        #expect(result.output.contains(schema.defaultFile))
    }

    @Test("settings that cannot be used", arguments: [["--check-config"], ["--print-config"], []])
    func used(options: [String]) async throws {
        let result = await #expect(
            processExitsWith: .exitCode(78), observing: [\.standardOutputContent, \.standardErrorContent]
        ) { [options] in
            Program.runAndExit(["--config", "/nowhere"] + options)
        }
        #expect(
            result.complaint.contains(
                "heartbeat: /nowhere: unable to read: no such file or directory\n"))
        #expect(!result.output.contains("OK"))
    }

    @Test("a failure has its status and one line")
    func line() async throws {
        let result = await #expect(processExitsWith: .exitCode(69), observing: [\.standardErrorContent]) {
            Program.runAndExit(["--fail", "unavailable"])
        }
        #expect(
            result.complaint.contains(
                "heartbeat: unable to connect: no\\nroute (hint: start Kafka)\n"))
    }

    @Test("any other error is 70")
    func error() async throws {
        let result = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
            Program.runAndExit(["--fail", "other"])
        }
        #expect(result.complaint.contains("heartbeat: it broke\n"))
    }

    @Test("ArgumentParser's own statuses stay")
    func stay() async throws {
        await #expect(processExitsWith: .exitCode(3)) { Program.runAndExit(["--fail", "3"]) }
        await #expect(processExitsWith: .exitCode(1)) { Program.runAndExit(["--fail", "1"]) }
        await #expect(processExitsWith: .exitCode(64)) { Program.runAndExit(["--no-such-option"]) }
    }

    @Test("the help has the settings as they are laid out")
    func out() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runAndExit(["--help"])
        }
        let help = result.output
        #expect(help.contains(schema.help))
        #expect(help.contains("--config <file>") && !help.contains("default-config"))
    }
}
