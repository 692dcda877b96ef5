import Foundation
import Harness
import Testing

extension OnAGateway {
    /// The examples of the documents, as they stand there, with the real programs.
    @Suite struct IntegrationTests {
        private static let documents = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "packaging/doc")

        /// The first example in a language.
        private static func example(_ language: String, in document: String) throws -> String {
            let text = try String(contentsOf: documents.appending(path: document), encoding: .utf8)
            let parts = text.components(separatedBy: "```" + language + "\n")
            try #require(parts.count > 1, "\(document) has no example in \(language)")
            return parts[1].components(separatedBy: "```")[0]
        }

        /// The text with something else in the place of a part that has to be in it.
        private static func replacing(_ old: String, with new: String, in text: String) throws -> String {
            try #require(text.contains(old), "the example has no \(old)")
            return text.replacing(old, with: new)
        }

        private static func start(_ program: String, _ arguments: [String]) throws -> ChildProcess {
            try #require(access(program, X_OK) == 0, "there is no \(program): packaging/test installs it")
            return try ChildProcess(
                (program as NSString).lastPathComponent, ChildProcess.Command(program, arguments),
                in: TestFolder.required())
        }

        /// syslog-ng as the document sets it up, before this broker and this gateway.
        private static func startBridge(from socket: String, to gateway: RunningGateway) throws -> ChildProcess {
            let folder = try TestFolder.required().path
            var example = try Self.example("conf", in: "integrations.md")
            example = try replacing("-h localhost", with: "--unix \(socket)", in: example)
            example = try replacing("localhost:8502", with: "127.0.0.1:\(gateway.port)", in: example)
            example = try replacing("Bearer TOKEN", with: "Bearer \(gateway.token)", in: example)
            example = try replacing("reliable(yes)", with: "reliable(yes) dir(\"\(folder)\")", in: example)
            example = try replacing("time-reopen(5)", with: "time-reopen(1)", in: example)
            let config = try TestFolder.required().write("syslog-ng.conf", "@version: 3.38\n" + example)
            return try start(
                "/usr/sbin/syslog-ng",
                [
                    "--foreground", "--stderr", "--no-caps", "--cfgfile=\(config)", "--persist-file=\(folder)/persist",
                    "--pidfile=\(folder)/pid", "--control=\(folder)/control",
                ])
        }

        @Test("readings by MQTT are stored, also those that come while the gateway is down")
        func mqtt() async throws {
            let folder = try TestFolder.required().path
            let gateway = try await RunningGateway()
            let socket = folder + "/mqtt"
            let mosquitto = try Self.start(
                "/usr/sbin/mosquitto",
                [
                    "-c",
                    try TestFolder.required().write(
                        "mosquitto.conf", "user root\nlistener 0 \(socket)\nallow_anonymous true\n"),
                ])
            try await eventually("mosquitto listens") { access(socket, R_OK) == 0 }
            let bridge = try Self.startBridge(from: socket, to: gateway)
            try await eventually("the bridge has subscribed") { mosquitto.log.contains("as heartbeat ") }
            let consumer = try await gateway.pipeline.startReadyConsumer()
            func publish(_ text: String) async throws {
                let file = try TestFolder.required().write("message", text)
                try await shell("mosquitto_pub --unix '\(socket)' -q 1 -t hearts/gym_1 -f '\(file)'")
            }
            func expectStored(_ count: Int) async throws {
                try await eventually("\(count) are stored") {
                    try gateway.pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == count
                }
            }
            try await publish("no reading")
            try await publish(reading())
            try await expectStored(1)
            gateway.process.kill(SIGTERM)
            try await gateway.process.waitForEnd(within: .seconds(60))
            try await publish(reading(at: "2026-02-19T15:53:04Z"))
            try await eventually("the bridge has noticed") { bridge.log.contains("trying again") }
            let again = try await gateway.again("gateway again")
            try await publish(reading(at: "2026-02-19T15:53:05Z"))
            try await expectStored(3)
            try await gateway.pipeline.stop(consumer)
            for process in [bridge, mosquitto, again.process] {
                process.kill(SIGTERM)
                try await process.waitForEnd(within: .seconds(60))
            }
        }

        @Test("nginx takes readings by TLS")
        func nginx() async throws {
            let folder = try TestFolder.required().path
            let gateway = try await RunningGateway()
            try await shell(
                """
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hearts.example \
                    -addext subjectAltName=DNS:hearts.example -keyout '\(folder)/key' -out '\(folder)/certificate' 2>/dev/null
                """)
            let socket = folder + "/nginx"
            var example = try Self.example("nginx", in: "gateway.md")
            example = try Self.replacing("listen 8443", with: "listen unix:\(socket)", in: example)
            example = try Self.replacing("/etc/ssl/hearts.example.pem", with: folder + "/certificate", in: example)
            example = try Self.replacing("/etc/ssl/private/hearts.example.key", with: folder + "/key", in: example)
            example = try Self.replacing("127.0.0.1:8502", with: "127.0.0.1:\(gateway.port)", in: example)
            let config = try TestFolder.required().write(
                "nginx.conf",
                """
                daemon off; error_log stderr; pid \(folder)/pid;
                events {}
                http {
                access_log off;
                client_body_temp_path \(folder)/bodies; proxy_temp_path \(folder)/answers;
                \(example)
                }
                """)
            let nginx = try Self.start("/usr/sbin/nginx", ["-c", config, "-p", folder, "-e", "stderr"])
            try await eventually("nginx listens") { access(socket, R_OK) == 0 }
            let body = try TestFolder.required().write("body", reading())
            let answer = try await shell(
                """
                curl --silent --show-error --fail --cacert '\(folder)/certificate' --unix-socket '\(socket)' \
                    -H 'Authorization: Bearer \(gateway.token)' -H 'Content-Type: application/json' \
                    --data-binary '@\(body)' https://hearts.example:8443/api/v1/readings
                """)
            #expect(answer.contains(#""accepted": 1"#) || answer.contains(#""accepted":1"#), "\(answer)")
            nginx.kill(SIGTERM)
            try await nginx.waitForEnd(within: .seconds(60))
        }
    }
}
