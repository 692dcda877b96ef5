import Foundation
import Harness
import Testing

/// Every command that the README shows is run by a test.
@Suite("The README's commands", .ownFolder, .logsOnFailure) struct CommandTests {
    /// A test that runs a command: its file, its name there, and the words by which the file runs it.
    private struct Runner {
        let file: String
        let name: String
        let words: String
    }

    /// What the continuous integration runs.
    private static let script = "packaging/test"

    /// What is typed as it stands in the document.
    private static let typed = Runner(
        file: "Tests/System/test_start.py", name: "def test_readme(self)", words: "examples(\"README.md\")")

    private static let runners = [
        "packaging/demo": Runner(
            file: "Tests/ArchitectureTests/CommandTests.swift", name: "func demo()", words: "/packaging/demo"),
        "packaging/build-deb": Runner(file: script, name: "step package ", words: "packaging/build-deb .build-deb"),
        "sudo apt install ./.build-deb/heartbeat-monitor_0.1.0_amd64.deb": Runner(
            file: "Tests/System/pipeline.py", name: "def install(self, package)", words: "\"apt-get\", \"install\""),
        "sudo systemctl enable --now heartbeat.target": Runner(
            file: "Tests/System/test_life.py", name: "def test_reboot(self)", words: "\"heartbeat.target\""),
        "sudo -u heartbeat-consumer heartbeat verify": Runner(
            file: "Tests/System/pipeline.py", name: "def verified(self)",
            words: "self.as_user(\"heartbeat-consumer\"), \"heartbeat\", \"verify\""),
        "sudo heartbeat doctor": Runner(
            file: "Tests/System/test_doctor.py", name: "def is_well(self)", words: "\"heartbeat\", \"doctor\""),
        "token=$(sudo heartbeat gateway token gym --customers 'gym_*') && sudo systemctl reload heartbeat-gateway":
            typed,
        #"""
        curl -H "Authorization: Bearer $token" --json '{"customer_id": "gym_1", "timestamp": "'$(date -Is)'", "heart_rate": 72}' \#
        localhost:8502/api/v1/readings
        """#: typed,
        #"sudo -u postgres psql heartbeat_db -c "SELECT * FROM heart_rate_readings WHERE customer_id = 'gym_1'""#:
            typed,
        "swift build --build-tests": Runner(file: script, name: "step build ", words: "swift build --build-tests"),
        "swift test --skip-build --no-parallel --filter ArchitectureTests": Runner(
            file: script, name: "step tests tests", words: "swift test --skip-build --no-parallel"),
        "packaging/test": Runner(file: ".ci/run", name: "#!/bin/bash", words: "/packaging/test"),
    ]

    @Test("each is run by the test that is named here, and none is named that it does not show")
    func commands() throws {
        let shown = Set(try Document("README.md").block("sh"))
        #expect(shown == Set(Self.runners.keys))
        for (command, runner) in Self.runners {
            let text = try Checkout.text(runner.file)
            #expect(text.contains(runner.name), "\(command): \(runner.file) has no \(runner.name)")
            #expect(text.contains(runner.words), "\(command): \(runner.file) does not run \(runner.words)")
        }
    }

    @Test("the version in the name of the package is that of the changelog")
    func version() throws {
        let version = try #require(try Checkout.text("packaging/debian/changelog").firstMatch(of: /\((.+?)\)/)?.1)
        let package = try Document("README.md").block("sh").joined().firstMatch(of: /heartbeat-monitor_(.+?)_amd64/)?.1
        #expect(package == version)
    }

    /// The compiler is a stand-in, since the tests have built the program already; all the rest is real.
    @Test("packaging/demo runs the demo to a sound end")
    func demo() async throws {
        let folder = try TestFolder.required()
        let built = URL(fileURLWithPath: Heartbeat.path).deletingLastPathComponent().path
        let compiler = try folder.write(
            "swift",
            """
            #!/bin/bash
            case "$*" in
                --version) echo "Swift version 6.3" ;;
                *--show-bin-path) echo '\(built)' ;;
                build*) ;;
                *) exit 1 ;;
            esac
            """)
        chmod(compiler, 0o755)
        var environment = ["PATH": "\(folder.path):/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
        environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        let script = Checkout.root.path + "/packaging/demo"
        let demo = try ChildProcess(
            "demo", ChildProcess.Command("/bin/bash", [script, "--seconds", "5"], environment: environment), in: folder)
        let end = try await demo.waitForEnd(within: .seconds(180))
        #expect(end == .exited(0), "\(demo.output)\n\(demo.log)")
        #expect(demo.output.contains("messages are stored, each exactly once"), "\(demo.output)")
        #expect(demo.output.contains("nothing is left behind"), "\(demo.output)")
    }
}
