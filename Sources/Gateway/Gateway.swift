public import Daemon
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import Kafka
internal import KafkaService
internal import Logging
internal import NIOCore
internal import SharedSettings

/// `heartbeat gateway`: readings by HTTP into Kafka.
public struct Gateway {
    private let settings: Settings
    private let tokens: Tokens
    private let configuration: KafkaConfiguration

    /// Open files beside connections: Kafka's, event loops, the journal, metrics.
    private static let files = 60

    /// A gateway with these settings; listens to nothing yet.
    ///
    /// - Throws: `SettingsError` when the tokens' file cannot be used, or when librdkafka refuses a property.
    public init(_ settings: Settings) throws(SettingsError) {
        self.settings = settings
        configuration = try Self.kafkaConfiguration(settings)
        tokens = Tokens(try SendingGrant.tokens(settings), readingsPerSecond: settings[.gatewayReadingsPerSecond])
    }

    /// librdkafka's configuration of a producer.
    static func kafkaConfiguration(_ settings: Settings) throws(SettingsError) -> KafkaConfiguration {
        let milliseconds = Int(settings[.gatewayAnswerSeconds] / .milliseconds(1))
        return try settings.kafkaConfiguration(
            for: .producer,
            defaults: [
                ("client.id", "heartbeat-gateway"),
                // As Java's clients do it, so that a customer's messages meet in one partition whoever sends them.
                ("partitioner", "murmur2_random"), ("compression.codec", "lz4"),
                // Somebody waits for the answer.
                ("linger.ms", "1"),
                // What waits for Kafka is bounded by Publisher and by this.
                ("queue.buffering.max.kbytes", "65536"),
            ],
            fixed: [
                ("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "\(milliseconds)"),
            ])
    }

    /// Serves until it is stopped. It has started as soon as it listens: without Kafka it says so.
    ///
    /// - Throws: `CommandFailure` when it cannot listen; `SystemError` when no thread can be started.
    public func run(_ service: Service) throws {
        for remark in SettingsSchema.gateway.remarks.compactMap({ $0(settings) }) {
            service.logger.warning("\(remark)")
        }
        let wanted = settings[.gatewayConnections]
        let files = raiseOpenFilesLimit(to: wanted + Self.files)
        let connections = Connections(most: min(wanted, max(2, files - Self.files)))
        let metrics = GatewayMetrics(service.metrics)
        let publisher = Publisher(service)
        let thread = try WorkThread(name: "publisher") { [settings, configuration] in
            do {
                try publisher.run(settings, configuration)
            } catch {
                service.fail(CommandFailure(.software, "\(error)"))
            }
            publisher.close()
        }
        let server = Server(
            router(ReadingIntake(tokens: tokens, publisher: publisher, metrics: metrics), service.logger),
            on: endpoint, connections,
            started: { url in
                service.logger.notice("serving on \(url)")
                service.started()
            })
        watch(service, until: { server.end != nil }) { metrics.setWaiting(publisher.unsettled) }
        service.stopping()
        server.stop(within: .seconds(3))
        publisher.close()
        _ = thread.join(within: .seconds(1))
        if let failure = server.failure { throw failure }
        service.logger.report(.stopped, "stopped")
    }

    private var endpoint: Server.Endpoint {
        Server.Endpoint(
            address: settings[.gatewayAddress], port: settings[.gatewayPort],
            hint: "GATEWAY_ADDRESS and GATEWAY_PORT say where it listens")
    }

    private func router(_ intake: ReadingIntake, _ logger: Logger) -> Router<Caller> {
        let bodies = Bodies(mostBytes: settings[.gatewayBodyBytes])
        let judge = ReadingJudge(settings)
        let readings = ReadingsAPI(bodies: bodies, judge: judge, intake: intake)
        let fhir = FHIRAPI(bodies: bodies, judge: judge, intake: intake)
        let router = Router(context: Caller.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Gatekeeper(tokens: tokens, metrics: intake.metrics, logger: logger))
        router.post("api/v1/readings", use: readings.post)
        router.post("fhir", use: fhir.bundle)
        router.post("fhir/Observation", use: fhir.create)
        router.get("fhir/metadata", use: fhir.capabilities)
        router.get("healthz") { _, _ in "ok\n" }
        let description = ByteBuffer(bytes: PackageResources.openapi_json)
        router.get("api/v1/openapi.json") { request, _ in Response.json(description, to: request) }
        return router
    }

    /// Waits for the end, and takes new settings and tokens over meanwhile.
    private func watch(_ service: Service, until isOver: () -> Bool, _ now: () -> Void) {
        var settings = settings
        while !service.stop.wait(for: .milliseconds(100)), !isOver() {
            now()
            guard service.reloadIfAsked(&settings) else { continue }
            do throws(SettingsError) {
                tokens.replace(
                    try SendingGrant.tokens(settings), readingsPerSecond: settings[.gatewayReadingsPerSecond])
            } catch {
                service.logger.error("\(error); the tokens are those from before")
            }
        }
    }
}
