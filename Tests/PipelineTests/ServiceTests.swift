import Foundation
import Harness
import Testing

extension EndToEnd {
    /// What the daemons tell a service manager, and when.
    @Suite("Service") struct Services {
        private static func reading(_ number: Int) -> Message {
            Message(customer: "c\(number % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z", heartRate: 72)
        }

        @Test("a consumer's life: ready, reloaded, refused, stopped")
        func life() async throws {
            let pipeline = try await Pipeline()
            let manager = try ServiceManager()
            let file = try TestFolder.required().write("consumer.conf", "HEART_RATE_MAX=180\n")
            let consumer = try Heartbeat.start(
                "consumer", ["consumer"], settings: pipeline.consumerSettings.merging(manager.environment) { $1 },
                config: file)
            try await eventually("it is ready") { manager.isReady }
            #expect(manager.count("READY=1") == 1)
            #expect(consumer.log.contains("ready: Kafka and PostgreSQL have answered"))
            try pipeline.broker.publish((0..<50).map(Self.reading))
            try await eventually("the status tells of the work") {
                manager.status.wholeMatch(of: /[0-9]+\.[0-9] messages\/s, lag 0 messages/) != nil
                    && !manager.status.hasPrefix("0.0")
            }

            try TestFolder.required().write("consumer.conf", "HEART_RATE_MAX=70\nMAX_MESSAGE_BYTES=4096\n")
            consumer.kill(SIGHUP)
            try await Self.expectReload(manager)
            #expect(consumer.log.contains("reloaded: HEART_RATE_MAX changed"))
            #expect(consumer.log.contains("a restart is needed for MAX_MESSAGE_BYTES"))

            try TestFolder.required().write("consumer.conf", "HEART_RATE_MAX=x\n")
            let checked = try await Heartbeat.run(["consumer", "--check-config"], [:], config: file)
            #expect(checked.end == .exited(78))
            consumer.kill(SIGHUP)
            try await eventually("it has looked at the file") { manager.count("READY=1") == 3 }
            #expect(
                consumer.log.contains(
                    "reload refused, keeping the current settings: \(file):1: HEART_RATE_MAX=x: expected"))
            try await eventually("the status says so") {
                manager.status.contains("the last reload was refused: \(file):1: HEART_RATE_MAX=x")
            }
            try pipeline.broker.publish((50..<60).map(Self.reading))
            try await pipeline.untilStored(60)
            #expect(
                try pipeline.database.number("SELECT count(*) FROM heart_rate_readings WHERE is_anomaly") == 10,
                "the settings before the bad ones are in effect")

            try await pipeline.stop(consumer)
            try await eventually("it says that it stops") { manager.count("STOPPING=1") == 1 }
            #expect(manager.status.hasPrefix("stopping"))
            #expect(!manager.assignments.contains("WATCHDOG=1"), "nobody has asked for it")
        }

        private static func expectReload(_ manager: ServiceManager) async throws {
            try await eventually("it has reloaded") { manager.count("READY=1") == 2 }
            let reloading = try #require(manager.assignments.firstIndex(of: "RELOADING=1"))
            #expect(manager.assignments[reloading + 1].wholeMatch(of: /MONOTONIC_USEC=[0-9]+/) != nil)
            #expect(manager.assignments[reloading...].contains("READY=1"))
        }

        @Test("a start does not wait for the servers: it says what it waits for, and is ready when they have answered")
        func waitingStart() async throws {
            let pipeline = try await Pipeline()
            try await pipeline.database.cluster.stop(.fast)
            let manager = try ServiceManager()
            let consumer = try pipeline.startConsumer("consumer", manager.environment)
            try await eventually("the status says what it waits for") {
                manager.status.wholeMatch(
                    of: /waiting for PostgreSQL since 20[-0-9T:]+Z: unable to connect to PostgreSQL: .+/) != nil
            }
            #expect(manager.count("READY=1") == 1)
            #expect(!manager.isReady)
            try await pipeline.database.cluster.start()
            try await eventually("it is ready") { manager.isReady }
            #expect(consumer.log.contains("PostgreSQL has answered after"))
            try await pipeline.stop(consumer)
        }

        @Test("the watchdog hears of a start that waits for Kafka", arguments: ["producer", "consumer"])
        func watchedStart(command: String) async throws {
            let manager = try ServiceManager(watchdog: .seconds(20))
            // A port that nobody listens at.
            let settings = ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "POSTGRES_HOST": "/nowhere"]
            let daemon = try Heartbeat.start(command, [command], settings: settings.merging(manager.environment) { $1 })
            try await eventually("it waits") { manager.status.hasPrefix("waiting for Kafka") }
            let before = manager.count("WATCHDOG=1")
            try await eventually("the watchdog hears of it") { manager.count("WATCHDOG=1") >= before + 3 }
            daemon.kill(SIGTERM)
            #expect(try await daemon.waitForEnd(within: .seconds(30)) == .exited(0))
        }

        @Test(
            "a start that waits for too long is a failure with status 69",
            arguments: [("producer", "Kafka"), ("consumer", "Kafka"), ("consumer", "PostgreSQL")])
        func givingUp(command: String, server: String) async throws {
            let broker = try await TestBroker()
            var settings = command == "consumer" ? broker.settings : broker.producerSettings
            // A port that nobody listens at.
            if server == "Kafka" { settings["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1" }
            settings["POSTGRES_HOST"] = "/nowhere"
            settings["START_TIMEOUT_SECONDS"] = "2"
            let manager = try ServiceManager()
            let ended = try await Heartbeat.run([command], settings.merging(manager.environment) { $1 })
            #expect(ended.end == .exited(69))
            #expect(ended.log.contains("heartbeat: timed out after "))
            #expect(manager.count("READY=1") == 1)
            #expect(!manager.isReady)
        }

        @Test("PostgreSQL is away: the watchdog hears of the work all the same, and the status says since when")
        func withoutPostgreSQL() async throws {
            let pipeline = try await Pipeline()
            let manager = try ServiceManager(watchdog: .seconds(20))
            let consumer = try pipeline.startConsumer("consumer", manager.environment)
            try await eventually("it is ready") { manager.isReady }
            try await pipeline.database.cluster.stop(.fast)
            try pipeline.broker.publish((0..<50).map(Self.reading))
            try await eventually("the status says since when") {
                manager.status.contains("waiting for PostgreSQL since 20")
            }
            let before = manager.count("WATCHDOG=1")
            try await eventually("the watchdog hears of it") { manager.count("WATCHDOG=1") >= before + 4 }
            try await pipeline.database.cluster.start()
            try await pipeline.untilStored(50)
            try await eventually("the status tells of the work") { manager.status.contains(" messages/s, lag 0") }
            #expect(!manager.status.contains("waiting"))
            #expect(!consumer.log.contains("no progress"))
            try await pipeline.stop(consumer)
        }

        @Test(
            "a loop that hangs is not covered by the others: the watchdog hears nothing",
            arguments: ["intake", "writer"])
        func hangingLoop(loop: String) async throws {
            let pipeline = try await Pipeline()
            try FileManager.default.createDirectory(
                atPath: TestFolder.required().path + "/metrics", withIntermediateDirectories: true)
            let manager = try ServiceManager(watchdog: .seconds(8))
            let consumer = try pipeline.startConsumer("consumer", manager.environment)
            try await eventually("it is ready") { manager.isReady }
            // The intake is the process's first thread.
            var stopped: StoppedThread? = try StoppedThread(loop == "intake" ? "" : "writer", of: consumer)
            try await expectSilence(of: manager, consumer, loop)
            withExtendedLifetime(stopped) {}
            stopped = nil
            let before = manager.count("WATCHDOG=1")
            try await eventually("the watchdog hears of it again") { manager.count("WATCHDOG=1") > before }
            try pipeline.broker.publish((0..<50).map(Self.reading))
            try await pipeline.untilStored(50)
            try await pipeline.stop(consumer)
        }

        @Test("a server process that hangs in mid-statement stops the writer, and so the watchdog's news")
        func hangingServer() async throws {
            let pipeline = try await Pipeline()
            try FileManager.default.createDirectory(
                atPath: TestFolder.required().path + "/metrics", withIntermediateDirectories: true)
            let manager = try ServiceManager(watchdog: .seconds(8))
            let consumer = try pipeline.startConsumer("consumer", manager.environment)
            try await eventually("it is ready") { manager.isReady }
            let backend = try pipeline.database.number(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'heartbeat-consumer' AND datname = current_database()"
            )
            kill(pid_t(backend), SIGSTOP)
            defer { kill(pid_t(backend), SIGCONT) }
            try pipeline.broker.publish((0..<50).map(Self.reading))
            try await expectSilence(of: manager, consumer, "writer")
            kill(pid_t(backend), SIGCONT)
            try await pipeline.untilStored(50)
            let before = manager.count("WATCHDOG=1")
            try await eventually("the watchdog hears of it again") { manager.count("WATCHDOG=1") > before }
            try await pipeline.stop(consumer)
        }

        /// Expects that the consumer tells which loop does not get on, and the watchdog nothing any more.
        private func expectSilence(of manager: ServiceManager, _ consumer: ChildProcess, _ loop: String) async throws {
            try await eventually("the consumer tells which loop hangs") {
                consumer.log.contains(": \(loop). The watchdog is not told")
                    && manager.status.contains("no progress: \(loop)")
            }
            let before = manager.count("WATCHDOG=1")
            // The consumer's own clock, not that of the test: its reporting thread goes on meanwhile.
            let file = try TestFolder.required().path + "/metrics/consumer.prom"
            var updates: Set<Double> = []
            try await eventually("its reporting thread comes round several times") {
                let metrics = try MetricsFile(contents(file))
                updates.insert(metrics.values["heartbeat_updated_timestamp_seconds{daemon=\"consumer\"}"] ?? 0)
                return updates.count > 4
            }
            #expect(manager.count("WATCHDOG=1") == before)
        }

        @Test(
            "Kafka goes away and comes back: the status of both daemons says so, and the watchdog hears of the work",
            .enabled(if: TestBroker.isEmbedded, "a cluster outside can not be taken down from here"))
        func withoutKafka() async throws {
            let pipeline = try await Pipeline()
            let broker = try #require(pipeline.broker.process)
            let managers = [
                "consumer": try ServiceManager("consumer", watchdog: .seconds(20)),
                "producer": try ServiceManager("producer", watchdog: .seconds(20)),
            ]
            let consumer = try pipeline.startConsumer("consumer", managers["consumer"]?.environment ?? [:])
            let producer = try Heartbeat.start(
                "producer", ["producer"],
                settings: pipeline.broker.producerSettings.merging(managers["producer"]?.environment ?? [:]) { $1 })
            for (name, manager) in managers {
                try await eventually("the \(name) is ready") { manager.isReady }
            }
            broker.write("down")
            for (name, manager) in managers {
                try await eventually("the \(name)'s status says since when") {
                    manager.status.contains("waiting for Kafka since 20")
                }
                let before = manager.count("WATCHDOG=1")
                try await eventually("the watchdog hears of it") { manager.count("WATCHDOG=1") >= before + 2 }
            }
            broker.write("up")
            for (name, manager) in managers {
                try await eventually("the \(name)'s status tells of the work") {
                    !manager.status.contains("waiting") && manager.status.contains(" messages/s")
                }
            }
            producer.kill(SIGTERM)
            #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(0))
            try await pipeline.untilStored(pipeline.broker.messageCount())
            try await pipeline.stop(consumer)
            for log in [producer.log, consumer.log] {
                #expect(log.contains("waiting for Kafka at \(pipeline.broker.bootstrapServers): "))
                #expect(log.contains("Kafka is available again after "))
            }
        }

        @Test("the metrics are what is stored, and gone with the daemon")
        func metrics() async throws {
            let pipeline = try await Pipeline()
            let folder = try TestFolder.required().path + "/metrics"
            let consumer = try pipeline.startConsumer("consumer")
            try await eventually("it says once that there is no such folder") { consumer.log.contains("no metrics: ") }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let second = try Heartbeat.start(
                "second", ["consumer", "--instance", "2"], settings: pipeline.consumerSettings)
            try pipeline.broker.publish(
                (0..<300).map {
                    Message(
                        customer: "c\($0 % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z",
                        heartRate: $0 % 10 == 0 ? 300 : $0 % 10 == 1 ? 200 : 72)
                })
            let path = "\(folder)/consumer-2.prom"
            try await eventually("both write") {
                FileManager.default.fileExists(atPath: "\(folder)/consumer.prom")
                    && FileManager.default.fileExists(atPath: path)
            }
            try await eventually("300 messages are in the figures of both") {
                let all = try [MetricsFile(contents("\(folder)/consumer.prom")), MetricsFile(contents(path))]
                let sums = ["valid", "anomaly", "rejected"].map { outcome in
                    all.reduce(0) { sum, file in
                        sum
                            + file.values.filter {
                                $0.key.hasPrefix("heartbeat_consumer_messages_total{")
                                    && $0.key.contains("outcome=\"\(outcome)\"")
                            }.values.reduce(0, +)
                    }
                }
                return sums == [240, 30, 30]
            }
            let metrics = try MetricsFile(contents(path))
            #expect(metrics.values["heartbeat_ready{daemon=\"consumer-2\"}"] == 1)
            #expect(metrics.values["heartbeat_reconnects_total{daemon=\"consumer-2\",system=\"PostgreSQL\"}"] == 0)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o644)
            for process in [consumer, second] { try await pipeline.stop(process) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            #expect(consumer.log.components(separatedBy: "no metrics: ").count == 2)
            // Under a terminal the fields that the sentence has are not repeated.
            #expect(!(consumer.log + second.log).contains("HEARTBEAT_") && !consumer.log.contains("MESSAGE_ID"))
        }

        @Test("a burst of bad messages is one event with counts by reason, and a busy consumer is quiet")
        func quiet() async throws {
            let pipeline = try await Pipeline()
            let start = ContinuousClock.now
            let consumer = try await pipeline.startReadyConsumer()
            let count = 20_000
            try pipeline.broker.publish(
                (0..<count).lazy.map {
                    Message(
                        customer: "c\($0 % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z",
                        heartRate: $0 % 40 == 0 ? "300" : $0 % 40 == 1 ? "true" : "72")
                })
            try await pipeline.untilStored(count)
            try await eventually("it tells of the bad ones") { consumer.log.contains(", rejected: ") }
            try await pipeline.stop(consumer)
            let minutes = Int((ContinuousClock.now - start) / .seconds(60))
            let lines = consumer.log.split(separator: "\n")
            let told = lines.filter { $0.contains(" messages in ") }
            #expect(told.count <= 1 + minutes, "\(consumer.log)")
            #expect(told.first?.contains(" notice consumer: ") == true)
            #expect(told.first?.firstMatch(of: /rejected: out_of_range \d+, wrong_type \d+$/) != nil)
            // no metrics, reading, ready, stopped
            #expect(lines.count <= 4 + 1 + minutes, "\(consumer.log)")
        }
    }
}
