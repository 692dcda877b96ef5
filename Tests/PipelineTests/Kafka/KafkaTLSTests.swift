import Foundation
import Harness
import Testing

extension Waiting {
    /// TLS that does not come about: the cause itself is in the status within 10 s, in the journal and in the last line.
    @Suite("TLS to Kafka") struct KafkaTLS {
        struct Case: Sendable, CustomTestStringConvertible {
            var command = "consumer"
            let certificate: String
            var authority = "authority"
            var security = "ssl"
            let cause: String

            var testDescription: String { "\(command), \(certificate), \(authority), \(security)" }
        }

        static let cases = [
            Case(certificate: "valid", authority: "other", cause: "unable to get local issuer certificate"),
            Case(
                command: "producer", certificate: "valid", authority: "other",
                cause: "unable to get local issuer certificate"),
            Case(certificate: "expired", cause: "certificate has expired"),
            Case(certificate: "elsewhere", cause: "IP address mismatch"),
            Case(certificate: "valid", security: "plaintext", cause: "Disconnected"),
        ]

        @Test("what is wrong with the certificate or the port is told", arguments: cases)
        func told(_ test: Case) async throws {
            let folder = try TestFolder.required()
            try await makeCertificates()
            // A port that was free just now.
            let address = try UselessServer(.silent).address
            let port = try #require(address.split(separator: ":").last)
            let server = try ChildProcess(
                "openssl",
                ChildProcess.Command(
                    "/usr/bin/openssl",
                    [
                        "s_server", "-accept", "\(port)", "-quiet", "-cert", "\(folder.path)/\(test.certificate).pem",
                        "-key", "\(folder.path)/\(test.certificate).key",
                    ], environment: [:]), in: folder)
            let manager = try ServiceManager()
            let settings = [
                "KAFKA_BOOTSTRAP_SERVERS": address, "RDKAFKA_SECURITY_PROTOCOL": test.security,
                "RDKAFKA_SSL_CA_LOCATION": "\(folder.path)/\(test.authority).pem", "START_TIMEOUT_SECONDS": "8",
            ]
            let process = try Heartbeat.start(
                test.command, [test.command], settings: settings.merging(manager.environment) { own, _ in own })
            process.expectEnd()
            try await eventually("the status says why", within: .seconds(10)) { manager.status.contains(test.cause) }
            #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(69))
            let lines = process.log.split(separator: "\n")
            #expect(
                lines.dropLast().contains { $0.contains("waiting for Kafka") && $0.contains(test.cause) },
                "\(process.log)")
            #expect(lines.last?.contains("timed out after 8 s waiting for Kafka: ") == true)
            #expect(lines.last?.contains(test.cause) == true, "\(process.log)")
            server.kill(SIGKILL)
        }

        private func makeCertificates() async throws {
            let folder = try TestFolder.required().path
            try await shell(
                """
                cd \(folder)
                for name in authority other; do
                    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name \
                        -keyout $name.key -out $name.pem 2>openssl.log
                done
                make() {
                    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$1 \
                        -addext "subjectAltName=$2" -keyout $1.key -out $1.csr 2>openssl.log
                    openssl x509 -req -in $1.csr -CA authority.pem -CAkey authority.key -days $3 \
                        -copy_extensions copy -out $1.pem 2>openssl.log
                }
                make valid IP:127.0.0.1 2
                make expired IP:127.0.0.1 -1
                make elsewhere DNS:elsewhere.example 2
                """)
        }
    }
}
