import Daemon
import Testing
import SharedSettings

@Suite struct SettingsReloadTests {
    @Test("takes what is reloadable and names the rest")
    func rest() throws {
        let file = TemporaryFile("BATCH_ROWS=1\nKAFKA_TOPIC=a\nRDKAFKA_X=1\nRDKAFKA_Y=1\nCHECK=yes")
        let before = try file.settings()
        file.write("KAFKA_TOPIC=b\nLOG_LEVEL=debug\nBATCH_ROWS=2\nRDKAFKA_X=2\nRDKAFKA_Z=1\nCHECK=true")
        let reload = try before.reloaded(from: file.settings())
        #expect(reload.changed == ["BATCH_ROWS", "LOG_LEVEL"])
        #expect(reload.needsRestart == ["KAFKA_TOPIC", "RDKAFKA_X", "RDKAFKA_Y", "RDKAFKA_Z"])
        #expect(reload.settings[.batchRows] == 2)
        #expect(reload.settings[.logLevel] == .debug)
        #expect(reload.settings[.kafkaTopic] == "a")
        #expect(reload.settings.kafkaProperties.map(\.value) == ["1", "1"])
        // The value is the old one, and so is its place.
        #expect(reload.settings.origin(of: .kafkaTopic) == .file(path: file.path, line: 2))
        #expect(reload.settings.origin(of: .batchRows) == .file(path: file.path, line: 3))
        #expect(reload.settings.origin(of: .check) == .file(path: file.path, line: 6))
    }

    @Test("nothing new changes nothing")
    func nothing() throws {
        let file = TemporaryFile("BATCH_ROWS=1\n")
        let reload = try file.settings().reloaded(from: file.settings())
        #expect(reload.changed == [] && reload.needsRestart == [])
    }

    @Test("a mixture that fails the checks is refused")
    func refused() throws {
        let half = SettingsSchema(
            name: "no-such-daemon", sentence: ".",
            settings: [
                Setting("LOW", .integer(in: 0...9), default: 1, sentence: "Low.", isReloadable: true),
                Setting("HIGH", .integer(in: 0...9), default: 2, sentence: "High."),
            ],
            checks: [
                { settings in
                    let low = Setting("LOW", .integer(in: 0...9), default: 1, sentence: "Low.", isReloadable: true)
                    let high = Setting("HIGH", .integer(in: 0...9), default: 2, sentence: "High.")
                    return settings[low] < settings[high] ? nil : "too low"
                }
            ])
        let before = try Settings(half, environment: [:])
        let after = try Settings(half, environment: ["LOW": "5", "HIGH": "6"])
        #expect(throws: SettingsError(["too low"])) { try before.reloaded(from: after) }
    }

    @Test("the options read the same file again")
    func again() throws {
        let file = TemporaryFile("BATCH_ROWS=1\n")
        let options = try SettingsOptions.parse(["--config", file.path])
        let before = try #require(try options.load(schema, environment: [:]))
        file.write("BATCH_ROWS=2\n")
        #expect(try options.reload(before, of: schema, environment: [:]).settings[.batchRows] == 2)
        file.write("BATCH_ROWS=x\n")
        #expect(throws: SettingsError.self) { try options.reload(before, of: schema, environment: [:]) }
        #expect(before[.batchRows] == 1)
    }
}
