public import Daemon
import KafkaService
import SharedSettings

extension Setting where Value == String {
    /// `GATEWAY_ADDRESS`: the address to listen on.
    public static var gatewayAddress: Setting {
        Setting(
            "GATEWAY_ADDRESS", .text("an IP address", where: isAddress), default: "127.0.0.1",
            sentence: """
                The address to listen on, such as 127.0.0.1, ::1, 0.0.0.0 or ::. It speaks HTTP without TLS: let a proxy with a \
                certificate pass requests on.
                """)
    }

    /// `GATEWAY_TOKENS_FILE`: the file with the tokens' hashes.
    public static var gatewayTokensFile: Setting {
        Setting(
            "GATEWAY_TOKENS_FILE", .path, default: "/etc/heartbeat/gateway.tokens",
            sentence: """
                The file with the hash of each token and the customers that it is for; "heartbeat gateway token" writes a line. \
                A reload reads it again.
                """)
    }
}

extension Setting where Value == Int {
    /// `GATEWAY_PORT`: the port to listen on, 0 to 65535; 0 takes a free one.
    public static var gatewayPort: Setting {
        Setting(
            "GATEWAY_PORT", .integer(in: 0...65_535), default: 8502,
            sentence: "The port to listen on. With 0 the system chooses a free one, which is logged.")
    }

    /// `GATEWAY_CONNECTIONS`: the most connections at a time, 1 to 20000.
    public static var gatewayConnections: Setting {
        Setting(
            "GATEWAY_CONNECTIONS", .integer(in: 1...20_000, unit: "connections"), default: 6000,
            sentence: """
                The most connections at a time; a further one takes the place of the one that was idle for the longest. The \
                limit of open files has to be 60 more.
                """)
    }

    /// `GATEWAY_BODY_BYTES`: the largest body of a request, unpacked, 1000 to 16777216 bytes.
    public static var gatewayBodyBytes: Setting {
        Setting(
            "GATEWAY_BODY_BYTES", .integer(in: 1000...16_777_216, unit: "bytes"), default: 1_048_576,
            sentence:
                "The largest body of a request, also when it is unpacked. A larger one is refused with status 413.")
    }

    /// `GATEWAY_READINGS_PER_SECOND`: what a token without a rate of its own may send, 1 to 1000000.
    public static var gatewayReadingsPerSecond: Setting {
        Setting(
            "GATEWAY_READINGS_PER_SECOND", .integer(in: 1...1_000_000, unit: "readings/s"), default: 1000,
            sentence: """
                How many readings a second the holder of a token may send for long, unless the token has a rate of its own; \
                ten times as many at once. More are refused with status 429.
                """, isReloadable: true)
    }
}

extension Setting where Value == Duration {
    /// `GATEWAY_ANSWER_SECONDS`: how long a request waits for Kafka, 1 to 300 s.
    public static var gatewayAnswerSeconds: Setting {
        Setting(
            "GATEWAY_ANSWER_SECONDS", .seconds(in: 1...300), default: .seconds(10),
            sentence: "How long a request waits for Kafka's acknowledgement before it is answered with status 503.")
    }
}

extension SettingsSchema {
    /// The settings of `heartbeat gateway`.
    public static let gateway: SettingsSchema = {
        var schema = SettingsSchema(
            name: "gateway", sentence: "Settings of the gateway, which takes readings by HTTP on port 8502.",
            settings: [
                Setting.gatewayAddress, Setting.gatewayPort, Setting.gatewayTokensFile,
                Setting.gatewayReadingsPerSecond, Setting.gatewayConnections, Setting.gatewayBodyBytes,
                Setting.gatewayAnswerSeconds, Setting.kafkaBootstrapServers, Setting.kafkaTopic,
                Setting.kafkaPartitions, Setting.kafkaReplicationFactor, Setting.maxMessageBytes,
                Setting.maxClockSkewSeconds, Setting.startTimeoutSeconds, Setting.metricsDirectory, Setting.logLevel,
            ],
            takesKafkaProperties: true, checks: [tokens, kafka])
        schema.remarks = [noToken, openToOthers]
        return schema
    }()

    private static let tokens: Check = { settings in
        do throws(SettingsError) {
            _ = try SendingGrant.tokens(settings)
            return nil
        } catch {
            return error.description
        }
    }

    private static let kafka: Check = { settings in
        do throws(SettingsError) {
            _ = try Gateway.kafkaConfiguration(settings)
            return nil
        } catch {
            return error.description
        }
    }

    private static let noToken: Check = { settings in
        guard let tokens = try? SendingGrant.tokens(settings), tokens.isEmpty else { return nil }
        return """
            there is no token in \(settings[.gatewayTokensFile]), so nobody can send: make one by "heartbeat gateway token"
            """
    }

    private static let openToOthers: Check = { settings in
        guard !isLoopback(settings[.gatewayAddress]) else { return nil }
        return """
            \(settings.describe(.gatewayAddress)) can be reached from other machines without TLS, so tokens and readings can be \
            read on the way: listen on 127.0.0.1 behind a proxy with a certificate
            """
    }
}
