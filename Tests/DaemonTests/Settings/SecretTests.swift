import Daemon
import Testing

/// A secret's value is in no error, no print and no message.
@Suite struct SecretTests {
    private static let secret = "hunter2"

    @Test(
        "is printed redacted",
        arguments: [
            "POSTGRES_PASSWORD", "RDKAFKA_SASL_PASSWORD", "RDKAFKA_SSL_KEY_PASSWORD", "RDKAFKA_SSL_KEY_PEM",
            "RDKAFKA_SASL_JAAS_CONFIG", "RDKAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", "RDKAFKA_SASL_OAUTHBEARER_CONFIG",
        ])
    func redacted(name: String) throws {
        let printed = try TemporaryFile("\(name)=\(Self.secret)").settings().printed
        #expect(printed.contains("\n\(name)=********\n"))
        #expect(!printed.contains(Self.secret))
    }

    @Test("a property that is refused does not show it")
    func show() throws {
        let settings = try TemporaryFile("").settings(environment: ["RDKAFKA_SASL_PASSWORD": Self.secret])
        #expect(settings.kafkaProperties[0].value == Self.secret)
        #expect(settings.kafkaProperties[0].refusal("no") == "environment: RDKAFKA_SASL_PASSWORD=********: no")
    }

    @Test("a misspelt name does not show it")
    func misspelt() {
        #expect(
            problems(in: "POSTGRES_PASWORT=\(Self.secret)") == [
                "FILE:1: POSTGRES_PASWORT=********: unknown setting, did you mean POSTGRES_PASSWORD?"
            ])
        #expect(problems(in: "API_TOKEN=\(Self.secret)") == ["FILE:1: API_TOKEN=********: unknown setting"])
    }

    @Test("a broken line does not show it")
    func broken() {
        #expect(problems(in: "POSTGRES_PASSWORD \(Self.secret)") == ["FILE:1: expected NAME=VALUE"])
        #expect(
            problems(in: "POSTGRES_PASSWORD='\(Self.secret)") == ["FILE:1: a quote is opened here and never closed"])
    }

    @Test("a value that is refused does not show it")
    func value() {
        let pin = SettingsSchema(
            name: "no-such-daemon", sentence: ".",
            settings: [Setting("PIN", .integer(in: 0...9999), default: 0, sentence: "A number.").secret],
            checks: [{ $0.describe(Setting("PIN", .integer(in: 0...9999), default: 0, sentence: ".").secret) }])
        #expect(throws: SettingsError(["environment: PIN=********: expected an integer from 0 to 9999"])) {
            try Settings(pin, environment: ["PIN": Self.secret])
        }
        #expect(throws: SettingsError(["PIN=******** (environment)"])) { try Settings(pin, environment: ["PIN": "12"]) }
    }
}
