import Daemon
import Foundation
import Logging
import Testing
import SharedSettings

@Suite struct SettingsTests {
    @Test("defaults are the contract's")
    func contracts() throws {
        let settings = try TemporaryFile("").settings()
        #expect(settings[.kafkaBootstrapServers] == "localhost:9092")
        #expect(settings[.kafkaTopic] == "heartbeat")
        #expect(settings[.kafkaGroupID] == "heartbeat_consumer_group")
        #expect(settings[.kafkaPartitions] == 4)
        #expect(settings[.kafkaReplicationFactor] == 1)
        #expect(settings[.heartRateMin] == 40)
        #expect(settings[.heartRateMax] == 180)
        #expect(settings[.retentionDays] == 90)
        #expect(settings[.postgresHost] == nil)
        #expect(settings[.postgresPort] == nil)
        #expect(settings[.postgresDB] == "heartbeat_db")
        #expect(settings[.postgresUser] == nil)
        #expect(settings[.postgresPassword] == nil)
        #expect(settings[.logLevel] == .info)
        #expect(settings[.patience] == .milliseconds(2500))
        #expect(settings.kafkaProperties == [])
    }

    @Test("the environment overrides the file and the file the default")
    func fileDefault() throws {
        let file = TemporaryFile("BATCH_ROWS=1\n\nBATCH_ROWS=2\nHEART_RATE_MAX=150\n")
        let settings = try file.settings(environment: ["HEART_RATE_MAX": "160", "HOME": "/root"])
        #expect(settings[.batchRows] == 2)
        #expect(settings.origin(of: .batchRows) == .file(path: file.path, line: 3))
        #expect(settings[.heartRateMax] == 160)
        #expect(settings.origin(of: .heartRateMax) == .environment)
        #expect(settings.origin(of: .heartRateMin) == .declaration)
    }

    @Test(
        "a flag in each spelling",
        arguments: [
            ("true", true), ("Yes", true), ("on", true), ("1", true), ("FALSE", false), ("no", false), ("off", false),
            ("0", false),
        ])
    func flagFlag(text: String, value: Bool) throws {
        #expect(try TemporaryFile("CHECK=\(text)").settings()[.check] == value)
    }

    @Test("values of every type")
    func type() throws {
        let settings = try TemporaryFile(
            "INTERVAL_SECONDS=0.25\nPATIENCE_SECONDS=1e-3\nFOLDER='/a b'\nPOSTGRES_PORT=5433\nLOG_LEVEL=debug\n"
        ).settings()
        #expect(settings[.interval] == 0.25)
        #expect(settings[.patience] == .milliseconds(1))
        #expect(settings[.folder] == "/a b")
        #expect(settings[.postgresPort] == 5433)
        #expect(settings[.logLevel] == .debug)
    }

    @Test(
        "values that are refused",
        arguments: [
            ("BATCH_ROWS=80x", "BATCH_ROWS=80x: expected an integer from 1 to 100000 (rows)"),
            ("BATCH_ROWS=0", "BATCH_ROWS=0: expected an integer from 1 to 100000 (rows)"),
            ("BATCH_ROWS=100001", "BATCH_ROWS=100001: expected an integer from 1 to 100000 (rows)"),
            ("BATCH_ROWS=", "BATCH_ROWS=: expected an integer from 1 to 100000 (rows)"),
            ("INTERVAL_SECONDS=nan", "INTERVAL_SECONDS=nan: expected a number from 0.001 to 3600 (seconds)"),
            ("INTERVAL_SECONDS=0x1", "INTERVAL_SECONDS=0x1: expected a number from 0.001 to 3600 (seconds)"),
            ("PATIENCE_SECONDS=61", "PATIENCE_SECONDS=61: expected a number of seconds from 0 to 60"),
            ("CHECK=perhaps", "CHECK=perhaps: expected true or false (or yes, no, on, off, 1, 0)"),
            ("FOLDER=run", "FOLDER=run: expected an absolute path"),
            ("KAFKA_GROUP_ID=", "KAFKA_GROUP_ID=: expected non-empty text"),
            ("KAFKA_TOPIC=a/b", "KAFKA_TOPIC=a/b: expected 1 to 249 letters, digits, dots, underscores and hyphens"),
            ("POSTGRES_PORT=0", "POSTGRES_PORT=0: expected an integer from 1 to 65535, or nothing"),
            ("LOG_LEVEL=loud", "LOG_LEVEL=loud: expected one of debug, info, notice, warning, error"),
            ("CHECK='a\nb'", #"CHECK=a\nb: expected true or false (or yes, no, on, off, 1, 0)"#),
            ("BATCH_ROW=5", "BATCH_ROW=5: unknown setting, did you mean BATCH_ROWS?"),
            ("batch_rows=5", "batch_rows=5: unknown setting, did you mean BATCH_ROWS?"),
            ("COLOUR=red", "COLOUR=red: unknown setting"),
            ("RDKAFKA_=5", "RDKAFKA_=5: unknown setting"),
            ("BATCH_ROWS 5", "expected NAME=VALUE"),
        ])
    func refusedRefused(line: String, problem: String) {
        #expect(problems(in: "\n" + line) == ["FILE:2: " + problem])
    }

    @Test("brokers", arguments: ["a", "a:9092,b:1", "SASL_SSL://a:9093", "[::1]:9092", "[::1]", "10.0.0.1:65535"])
    func brokersBrokers(text: String) {
        #expect(problems(in: "KAFKA_BOOTSTRAP_SERVERS=\(text)") == [])
    }

    @Test(
        "refused brokers",
        arguments: ["a:", "a:0", "a:65536", "a,,b", "a b", "a:9092,", "a:x", "http://a:9092", "a:1;b:1"])
    func refusedBrokers(text: String) {
        #expect(problems(in: "KAFKA_BOOTSTRAP_SERVERS=\(text)").count == 1)
    }

    @Test("all problems are listed in the order of the file")
    func orderFile() {
        let file = "BATCH_ROWS=x\nNO_SUCH_THING_AT_ALL=1\nCHECK=maybe\nnonsense\n"
        #expect(
            problems(in: file, environment: ["FOLDER": "x", "HEART_RATE_MIN": "300"]) == [
                "FILE:1: BATCH_ROWS=x: expected an integer from 1 to 100000 (rows)",
                "FILE:2: NO_SUCH_THING_AT_ALL=1: unknown setting",
                "FILE:3: CHECK=maybe: expected true or false (or yes, no, on, off, 1, 0)",
                "FILE:4: expected NAME=VALUE",
                "environment: FOLDER=x: expected an absolute path",
                "environment: HEART_RATE_MIN=300: expected an integer from 1 to 299 (bpm)",
            ])
    }

    @Test("a file that was named must be there")
    func must() {
        #expect(throws: SettingsError(["/nowhere/x.conf: unable to read: no such file or directory"])) {
            try Settings(schema, file: "/nowhere/x.conf", environment: [:])
        }
        #expect(throws: SettingsError(["/: unable to read: is a directory"])) {
            try Settings(schema, file: "/", environment: [:])
        }
    }

    @Test("the default file may be absent")
    func fileAbsent() throws {
        let absent = SettingsSchema(name: "no-such-daemon", sentence: ".", settings: [Setting.batchRows])
        #expect(try Settings(absent, environment: [:])[.batchRows] == 10_000)
    }

    @Test("settings are checked together")
    func together() {
        let found = problems(in: "HEART_RATE_MAX=100\n", environment: ["HEART_RATE_MIN": "100"])
        #expect(found == ["HEART_RATE_MIN=100 (environment) must be below HEART_RATE_MAX=100 (FILE:1)"])
    }

    @Test("the PostgreSQL parameters leave the rest to libpq")
    func libpq() throws {
        #expect(try TemporaryFile("").settings().postgresParameters == ["dbname": "heartbeat_db"])
        let all = "POSTGRES_HOST=/run/x\nPOSTGRES_PORT=1\nPOSTGRES_DB=d\nPOSTGRES_USER=u\nPOSTGRES_PASSWORD=' p'"
        #expect(
            try TemporaryFile(all).settings().postgresParameters
                == ["host": "/run/x", "port": "1", "dbname": "d", "user": "u", "password": " p"])
        #expect(try TemporaryFile("").settings(environment: ["PGSERVICE": "x"]).postgresParameters == [:])
        #expect(try TemporaryFile("").settings(environment: ["PGDATABASE": "x"]).postgresParameters == [:])
        #expect(
            try TemporaryFile("POSTGRES_DB=d").settings(environment: ["PGDATABASE": "x"]).postgresParameters
                == ["dbname": "d"])
        // An empty variable takes back what the file says.
        #expect(
            try TemporaryFile("POSTGRES_HOST=h").settings(environment: ["POSTGRES_HOST": ""]).postgresParameters
                == ["dbname": "heartbeat_db"])
    }

    @Test("Kafka properties are passed on")
    func passed() throws {
        let file = TemporaryFile("RDKAFKA_FETCH_WAIT_MAX_MS=5\nRDKAFKA_DEBUG=all\n")
        let settings = try file.settings(environment: ["RDKAFKA_DEBUG": "cgrp"])
        #expect(settings.kafkaProperties.map(\.name) == ["debug", "fetch.wait.max.ms"])
        #expect(settings.kafkaProperties.map(\.value) == ["cgrp", "5"])
        #expect(settings.kafkaProperties[0].refusal("no") == "environment: RDKAFKA_DEBUG=cgrp: no")
        #expect(
            settings.kafkaProperties[1].refusal("too short")
                == "\(file.path):1: RDKAFKA_FETCH_WAIT_MAX_MS=5: too short")
    }

    @Test("a command without Kafka knows no Kafka properties")
    func properties() {
        let local = SettingsSchema(name: "no-such-daemon", sentence: ".", settings: [Setting.postgresDB])
        let file = TemporaryFile("RDKAFKA_DEBUG=all")
        #expect(throws: SettingsError(["\(file.path):1: RDKAFKA_DEBUG=all: unknown setting"])) {
            try Settings(local, file: file.path, environment: [:])
        }
    }
}
