import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Settings that can not be used end the program with 78 and a line that says which and why; nothing is started.
    @Suite("Settings") struct SettingsErrors {
        struct Mistake: Sendable, CustomTestStringConvertible {
            var command = "consumer"
            var environment: [String: String] = [:]
            var file = ""
            let line: String

            var testDescription: String { line }
        }

        static let mistakes = [
            Mistake(
                environment: ["BATCH_ROWS": "80x"],
                line: "environment: BATCH_ROWS=80x: expected an integer from 1 to 100000 (rows)"),
            Mistake(
                environment: ["BATCH_ROWS": "0"],
                line: "environment: BATCH_ROWS=0: expected an integer from 1 to 100000 (rows)"),
            Mistake(
                environment: ["BATCH_ROWS": "100001"],
                line: "environment: BATCH_ROWS=100001: expected an integer from 1 to 100000 (rows)"),
            Mistake(
                environment: ["BATCH_ROWS": ""],
                line: "environment: BATCH_ROWS=: expected an integer from 1 to 100000 (rows)"),
            Mistake(
                file: "\nBATCH_ROWS=many\n",
                line: "FILE:2: BATCH_ROWS=many: expected an integer from 1 to 100000 (rows)"),
            Mistake(file: "BATCH_ROW=1\n", line: "FILE:1: BATCH_ROW=1: unknown setting, did you mean BATCH_ROWS?"),
            Mistake(
                file: "KAFKA_TOPICS=a\n", line: "FILE:1: KAFKA_TOPICS=a: unknown setting, did you mean KAFKA_TOPIC?"),
            Mistake(file: "SOMETHING_ELSE=1\n", line: "FILE:1: SOMETHING_ELSE=1: unknown setting"),
            Mistake(
                environment: ["KAFKA_BOOTSTRAP_SERVERS": "localhost:99999"],
                line: "environment: KAFKA_BOOTSTRAP_SERVERS=localhost:99999: expected host:port, or several of them "
                    + "separated by commas, such as kafka1:9092,kafka2:9092"),
            Mistake(
                environment: ["KAFKA_BOOTSTRAP_SERVERS": "a:9092;b:9092"],
                line: "environment: KAFKA_BOOTSTRAP_SERVERS=a:9092;b:9092: expected host:port, or several of them "
                    + "separated by commas"),
            Mistake(
                command: "producer", environment: ["KAFKA_BOOTSTRAP_SERVERS": "http://a:9092"],
                line: "environment: KAFKA_BOOTSTRAP_SERVERS=http://a:9092: expected host:port"),
            Mistake(
                environment: ["KAFKA_BOOTSTRAP_SERVERS": "a:9092/kafka"],
                line: "environment: KAFKA_BOOTSTRAP_SERVERS=a:9092/kafka: expected host:port"),
            Mistake(
                environment: ["POSTGRES_HOST": "db.example:5432"],
                line: "environment: POSTGRES_HOST=db.example:5432: expected a host name, an address or the "
                    + "directory of a socket; the port is POSTGRES_PORT, or nothing"),
            Mistake(
                command: "verify", environment: ["POSTGRES_HOST": "postgresql://db.example/heartbeat_db"],
                line: "environment: POSTGRES_HOST=postgresql://db.example/heartbeat_db: expected a host name"),
            Mistake(
                command: "dashboard", environment: ["DASHBOARD_HOSTS": "*"],
                line: "environment: DASHBOARD_HOSTS=*: expected host names separated by commas, without schemes, ports "
                    + "or patterns, or nothing"),
            Mistake(
                command: "dashboard", environment: ["DASHBOARD_HOSTS": "https://hearts.example"],
                line: "environment: DASHBOARD_HOSTS=https://hearts.example: expected host names"),
            Mistake(
                command: "dashboard", environment: ["DASHBOARD_HOSTS": "a.example; b.example"],
                line: "environment: DASHBOARD_HOSTS=a.example; b.example: expected host names"),
            Mistake(
                command: "dashboard", environment: ["DASHBOARD_PROXIES": "10.0.0.0/8"],
                line: "environment: DASHBOARD_PROXIES=10.0.0.0/8: expected IP addresses separated by commas"),
            Mistake(
                environment: ["KAFKA_TOPIC": "a topic"],
                line:
                    "environment: KAFKA_TOPIC=a topic: expected 1 to 249 letters, digits, dots, underscores and hyphens"
            ),
            Mistake(
                environment: ["HEART_RATE_MIN": "180", "HEART_RATE_MAX": "40"],
                line: "HEART_RATE_MIN=180 (environment) must be below HEART_RATE_MAX=40 (environment)"),
            Mistake(
                environment: ["POSTGRES_PORT": "5432; DROP TABLE x"],
                line: "environment: POSTGRES_PORT=5432; DROP TABLE x: expected an integer from 1 to 65535, or nothing"),
            Mistake(
                environment: ["LOG_LEVEL": "loud\u{1b}[2J\nheartbeat: OK"],
                line:
                    #"environment: LOG_LEVEL=loud\u{1b}[2J\nheartbeat: OK: expected one of debug, info, notice, warning, error"#
            ),
            Mistake(
                environment: ["RDKAFKA_GROUP_ID": "x"],
                line: "environment: RDKAFKA_GROUP_ID=x: heartbeat sets group.id itself"),
            Mistake(
                environment: ["RDKAFKA_ENABLE_AUTO_COMMIT": "true"],
                line: "environment: RDKAFKA_ENABLE_AUTO_COMMIT=true: heartbeat sets enable.auto.commit itself"),
            Mistake(
                environment: ["RDKAFKA_NO_SUCH_THING": "1"],
                line:
                    "environment: RDKAFKA_NO_SUCH_THING=1: unable to set no.such.thing: No such configuration property: "
                    + "\"no.such.thing\""),
            Mistake(
                file: "RDKAFKA_FETCH_WAIT_MAX_MS=soon\n",
                line: "FILE:1: RDKAFKA_FETCH_WAIT_MAX_MS=soon: unable to set fetch.wait.max.ms: "
                    + "Invalid value for configuration property \"fetch.wait.max.ms\""),
            Mistake(
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "ssl", "RDKAFKA_SSL_CA_LOCATION": "/nowhere/ca.pem"],
                line: "environment: RDKAFKA_SSL_CA_LOCATION=/nowhere/ca.pem: unable to read \"/nowhere/ca.pem\": "
                    + "no such file or directory"),
            Mistake(
                command: "producer",
                environment: [
                    "RDKAFKA_SECURITY_PROTOCOL": "ssl", "RDKAFKA_SSL_CERTIFICATE_LOCATION": "/nowhere/c.pem",
                ],
                line:
                    "environment: RDKAFKA_SSL_CERTIFICATE_LOCATION=/nowhere/c.pem: unable to read \"/nowhere/c.pem\": "
                    + "no such file or directory"),
            Mistake(
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "sasl_ssl", "RDKAFKA_SSL_KEY_LOCATION": "/nowhere/k.pem"],
                line: "environment: RDKAFKA_SSL_KEY_LOCATION=********: unable to read \"/nowhere/k.pem\": "
                    + "no such file or directory"),
            Mistake(
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "ssl", "RDKAFKA_SSL_KEYSTORE_LOCATION": "/nowhere/s.p12"],
                line: "environment: RDKAFKA_SSL_KEYSTORE_LOCATION=********: unable to read \"/nowhere/s.p12\": "
                    + "no such file or directory"),
            Mistake(
                command: "producer",
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "ssl", "RDKAFKA_SSL_CA_LOCATION": "/etc/passwd"],
                line: "environment: RDKAFKA_SSL_CA_LOCATION=/etc/passwd: unable to create a producer: "
                    + "ssl.ca.location failed: "),
            Mistake(
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "sasl_plaintext", "RDKAFKA_SASL_MECHANISM": "NONSENSE"],
                line: "unable to create a consumer: Unsupported SASL mechanism: NONSENSE"),
            Mistake(
                command: "producer",
                environment: ["RDKAFKA_SECURITY_PROTOCOL": "sasl_plaintext", "RDKAFKA_SASL_MECHANISM": "NONSENSE"],
                line: "unable to create a producer: Unsupported SASL mechanism: NONSENSE"),
            Mistake(
                command: "producer", environment: ["RDKAFKA_MAX_IN_FLIGHT": "10"],
                line: "environment: RDKAFKA_MAX_IN_FLIGHT=10: unable to create a producer: `max.in.flight`"),
            Mistake(
                command: "producer", environment: ["NUM_CUSTOMERS": "0"],
                line: "environment: NUM_CUSTOMERS=0: expected an integer from 1 to "),
            Mistake(
                command: "producer", environment: ["INTERVAL_SECONDS": "nan"],
                line: "environment: INTERVAL_SECONDS=nan: expected a number"),
            Mistake(
                command: "producer", environment: ["RDKAFKA_ACKS": "1"],
                line: "environment: RDKAFKA_ACKS=1: heartbeat sets acks itself"),
            Mistake(
                command: "producer", file: "NUM_CUSTOMER=1\n",
                line: "FILE:1: NUM_CUSTOMER=1: unknown setting, did you mean NUM_CUSTOMERS?"),
            Mistake(
                command: "database setup", environment: ["POSTGRES_PORT": "70000"],
                line: "environment: POSTGRES_PORT=70000: expected an integer from 1 to 65535, or nothing"),
            Mistake(
                command: "verify", file: "POSTGRES_DATABASE=x\n",
                line: "FILE:1: POSTGRES_DATABASE=x: unknown setting"),
        ]

        @Test("each mistake is one line and status 78", arguments: mistakes)
        func mistake(_ mistake: Mistake) async throws {
            let file = try TestFolder.required().write("settings.conf", mistake.file)
            let command = mistake.command.split(separator: " ").map(String.init)
            for option in [[], ["--check-config"], ["--print-config"]] {
                let ended = try await Heartbeat.run(
                    command + option, mistake.environment, config: file, within: .seconds(20))
                #expect(ended.end == .exited(78))
                #expect(ended.output == "")
                let lines = ended.log.replacingOccurrences(of: file, with: "FILE").split(separator: "\n")
                #expect(lines.count == 1)
                #expect(lines.first?.hasPrefix("heartbeat: \(mistake.line)") == true, "\(ended.log)")
            }
        }

        @Test("all mistakes are told at once")
        func several() async throws {
            let file = try TestFolder.required().write("settings.conf", "BATCH_ROW=1\nHEART_RATE_MIN=x\nBATCH_ROWS=0\n")
            let ended = try await Heartbeat.run(["consumer"], ["LOG_LEVEL": "loud"], config: file)
            #expect(ended.end == .exited(78))
            let lines = ended.log.split(separator: "\n")
            #expect(lines.count == 4)
            #expect(lines.allSatisfy { $0.hasPrefix("heartbeat: ") })
        }

        @Test(
            "a file that is named has to be there",
            arguments: [["consumer"], ["producer"], ["database", "setup"], ["verify"]])
        func missingFile(command: [String]) async throws {
            for path in ["/nowhere/consumer.conf", "/etc"] {
                let ended = try await Heartbeat.run(command, [:], config: path)
                #expect(ended.end == .exited(78))
                #expect(ended.log.hasPrefix("heartbeat: \(path): unable to read: "))
                #expect(ended.log.split(separator: "\n").count == 1)
            }
        }

        @Test("what is printed can be read back and gives the same")
        func printed() async throws {
            let settings = ["BATCH_ROWS": "123", "KAFKA_TOPIC": "a.b-c", "RDKAFKA_FETCH_WAIT_MAX_MS": "7"]
            let printed = try await Heartbeat.run(["consumer", "--print-config"], settings)
            #expect(printed.end == .exited(0))
            #expect(printed.output.contains("# from the environment\nBATCH_ROWS=123\n"))
            let file = try TestFolder.required().write("printed.conf", printed.output)
            let again = try await Heartbeat.run(["consumer", "--print-config"], [:], config: file)
            func values(_ text: String) -> [Substring] { text.split(separator: "\n").filter { !$0.hasPrefix("#") } }
            #expect(values(again.output) == values(printed.output))
            let checked = try await Heartbeat.run(["consumer", "--check-config"], [:], config: file)
            #expect(checked.end == .exited(0) && checked.output == "consumer settings: OK\n" && checked.log == "")
        }

        @Test("a password is nowhere to be seen")
        func secrets() async throws {
            let secret = "hunter2-correct-horse"
            let folder = try TestFolder.required()
            let names = [
                "POSTGRES_PASSWORD", "RDKAFKA_SASL_PASSWORD", "RDKAFKA_SSL_KEY_PASSWORD",
                "RDKAFKA_SSL_KEYSTORE_PASSWORD",
            ]
            let set = Dictionary(uniqueKeysWithValues: names.map { ($0, secret) })
            for command in ["consumer", "producer"] {
                let file = try folder.write("\(command).conf", "RDKAFKA_SASL_USERNAME=me\n")
                let known = command == "consumer" ? set : set.filter { $0.key != "POSTGRES_PASSWORD" }
                let printed = try await Heartbeat.run([command, "--print-config"], known, config: file)
                #expect(printed.end == .exited(0))
                #expect(printed.output.contains("RDKAFKA_SASL_PASSWORD=********"))
                #expect(!(printed.output + printed.log).contains(secret))
            }
            // Misspelt, refused, and beside something that is refused.
            for line in [
                "POSTGRES_PASWORD=\(secret)", "POSTGRES_PASSWROD=\(secret)", "PGPASSWORD=\(secret)",
                "PASSWORD=\(secret)",
                "RDKAFKA_SASL_PASWORD=\(secret)", "RDKAFKA_SSL_KEY_PEM=\(secret)", "RDKAFKA_SASL_JAAS_CONFIG=\(secret)",
                "BATCH_ROWS=0\nPOSTGRES_PASSWORD=\(secret)", "POSTGRES_PASSWORD=\"\(secret)",
                "POSTGRES_PASSWORD='\(secret)\\'x' y",
            ] {
                let file = try folder.write("mistake.conf", line + "\n")
                for option in [[], ["--print-config"]] {
                    // Nothing answers there, in case that the file is taken after all.
                    let process = try Heartbeat.start(
                        "consumer", ["consumer"] + option, settings: ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"],
                        config: file)
                    process.expectEnd()
                    try await eventually("it ends or waits for Kafka") {
                        process.end != nil || process.log.contains("waiting for Kafka")
                    }
                    #expect(!(process.output + process.log).contains(secret), "\(line)")
                }
            }
        }

        @Test("a running consumer shows its password neither to ps nor in its log, whatever goes wrong")
        func runningSecrets() async throws {
            let secret = "hunter2-correct-horse"
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer(
                "consumer", ["POSTGRES_PASSWORD": secret, "LOG_LEVEL": "debug", "RDKAFKA_DEBUG": "all"])
            try await pipeline.database.cluster.stop(.immediate)
            try pipeline.broker.publish([Message(customer: "a", timestamp: "2026-02-19T15:53:03Z", heartRate: 72)])
            try await eventually("it waits") { consumer.log.contains("still waiting for PostgreSQL") }
            #expect(!contents("/proc/\(consumer.id)/cmdline").contains(secret))
            #expect(!contents("/proc/\(consumer.id)/comm").contains(secret))
            #expect(!(consumer.log + consumer.output).contains(secret))
            try await pipeline.database.cluster.start()
            try await pipeline.untilStored(1)
            try await pipeline.stop(consumer)
        }
    }
}
