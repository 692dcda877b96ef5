import Foundation
import Testing

@testable import Daemon
import SharedSettings

@Suite struct SettingsTextTests {
    private let small = SettingsSchema(
        name: "small", sentence: "Settings of a daemon that shows how the file looks.",
        settings: [Setting.kafkaBootstrapServers, Setting.batchRows, Setting.postgresPassword],
        takesKafkaProperties: true)

    @Test("the shipped file")
    func shipped() {
        #expect(
            small.defaultFile == """
                # Settings of a daemon that shows how the file looks.
                #
                # One NAME=VALUE a line, in the grammar of systemd's EnvironmentFile=. A
                # variable of the environment overrides its line here. What is commented out
                # shows the default.
                # RDKAFKA_X_Y=value hands the property x.y=value to librdkafka, except for
                # those that the promises rest on.
                # After a change: systemctl reload heartbeat-small.service, or restart where
                # it says so. The file is checked first; a bad one changes nothing.

                # The Kafka brokers to ask first; they name the others.
                # Expects host:port, or several of them separated by commas, such as
                # kafka1:9092,kafka2:9092; needs a restart.
                #KAFKA_BOOTSTRAP_SERVERS=localhost:9092

                # Most readings in one transaction.
                # Expects an integer from 1 to 100000 (rows); takes effect on reload.
                #BATCH_ROWS=10000

                # The role's password. The local socket with peer authentication needs none.
                # Expects a password, or nothing; needs a restart. Never shown.
                #POSTGRES_PASSWORD=

                """)
    }

    @Test("the shipped file with its comments taken away gives the defaults")
    func defaults() throws {
        let lines = schema.defaultFile.split(separator: "\n").map { line in
            line.wholeMatch(of: /#([A-Z_]+=.*)/).map { $0.output.1 } ?? line
        }
        #expect(lines.filter { !$0.hasPrefix("#") }.count == schema.settings.count)
        let settings = try TemporaryFile(lines.joined(separator: "\n")).settings()
        for setting in schema.settings {
            #expect(settings.entries[setting.name]?.value.text == setting.defaultText)
            #expect(settings.entries[setting.name]?.origin != .declaration)
        }
    }

    @Test("settings that no daemon reloads say when they are taken")
    func taken() {
        var schema = small
        schema.whenTaken = "A change takes effect at the next start."
        for text in [schema.defaultFile, schema.help] {
            #expect(!text.contains("reload"))
            #expect(!text.contains("restart"))
            #expect(text.contains("(rows).\n"))
        }
        #expect(schema.defaultFile.contains("# A change takes effect at the next start.\n"))
    }

    @Test("the help lists every setting")
    func setting() {
        #expect(
            small.help == """
                Settings, from the environment or /etc/heartbeat/small.conf:

                  KAFKA_BOOTSTRAP_SERVERS=localhost:9092
                      The Kafka brokers to ask first; they name the others. Expects host:port,
                      or several of them separated by commas, such as kafka1:9092,kafka2:9092;
                      needs a restart.
                  BATCH_ROWS=10000
                      Most readings in one transaction. Expects an integer from 1 to 100000
                      (rows); takes effect on reload.
                  POSTGRES_PASSWORD
                      The role's password. The local socket with peer authentication needs
                      none. Expects a password, or nothing; needs a restart. Never shown.
                  RDKAFKA_X_Y=value
                      Hands the property x.y=value to librdkafka, except for those that the
                      promises rest on.
                """)
    }

    @Test("the print says where each value is from")
    func value() throws {
        let file = TemporaryFile("\nBATCH_ROWS='7'\nRDKAFKA_DEBUG=a b\n")
        let settings = try Settings(small, file: file.path, environment: ["POSTGRES_PASSWORD": "x"])
        #expect(
            settings.printed == """
                # default
                KAFKA_BOOTSTRAP_SERVERS=localhost:9092
                # from \(file.path):2
                BATCH_ROWS=7
                # from the environment
                POSTGRES_PASSWORD=********
                # from \(file.path):3
                RDKAFKA_DEBUG="a b"

                """)
    }

    @Test("the print reads back as the same settings")
    func print() throws {
        let settings = try TemporaryFile(
            "PATIENCE_SECONDS=0.1\nCHECK=on\nFOLDER='/a \"b\" $c\\'\nPOSTGRES_USER=' u '\nRDKAFKA_X='#y'"
        ).settings()
        let again = try TemporaryFile(settings.printed).settings()
        #expect(again.entries.mapValues(\.value.text) == settings.entries.mapValues(\.value.text))
        #expect(again.kafkaProperties.map(\.value) == ["#y"])
        #expect(again[.check] && again[.patience] == .milliseconds(100))
    }

    @Test(
        "edit distances",
        arguments: [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("flaw", "lawn", 2)])
    func distances(first: String, second: String, distance: Int) {
        #expect(editDistance(first, second) == distance)
    }
}
