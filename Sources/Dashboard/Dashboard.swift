internal import AccessTokens
public import Daemon
import HTTPService
import Hummingbird
internal import Logging
internal import NIOCore
internal import Schema
internal import SharedSettings

/// `heartbeat dashboard`: the live page.
public struct Dashboard {
    private let settings: Settings
    private let gate: EntryGate
    private let acting: ActingRule

    /// A dashboard with these settings; listens to nothing yet.
    ///
    /// - Throws: `SettingsError` when the file of a password or of tokens cannot be used; `SystemError`.
    public init(_ settings: Settings) throws {
        self.settings = settings
        gate = EntryGate(
            password: try PasswordGate(.dashboardPasswordFile, settings),
            tokens: TokenTable(try Scope.tokens(settings)))
        acting = try ActingRule(settings)
    }

    /// Serves until it is stopped. It has started as soon as it listens: without the database it says so.
    ///
    /// - Throws: `CommandFailure` when it cannot listen; `SystemError` when no thread can be started.
    public func run(_ service: Service) throws {
        let parameters = settings.postgresParameters
        let metrics = DashboardMetrics(service.metrics)
        let bounds = bounds(service.logger)
        let connections = Connections(most: bounds.connections)
        let hub = EventHub(mostListeners: bounds.viewers, metrics: metrics)
        let poller = Poller(settings, service, hub: hub, metrics: metrics)
        let loop = service.loop("poller")
        let thread = try WorkThread(name: "poller") {
            poller.run(Session(parameters, .dashboard(statementLimit: .seconds(3))), loop)
        }
        let sessions = try Workers("queries", threads: 2, mostWaiting: 64) {
            Session(parameters, .dashboard(statementLimit: .seconds(2)))
        }
        let requestGuard = RequestGuard(hosts: RequestGuard.hosts(settings), gate: gate, metrics: metrics)
        let router = router(poller, sessions: sessions, connections: connections, requestGuard: requestGuard, service)
        let server = Server(
            router, on: endpoint, connections,
            addHandlers: { pipeline in try pipeline.addHandler(HealthHandler(requestGuard)) },
            started: { url in
                service.logger.notice("serving on \(url)")
                service.started()
            })
        let ticker = Task {
            // Also says that the database keeps everybody waiting.
            while !Task.isCancelled {
                try await Task.sleep(for: .milliseconds(500))
                poller.publishIfLate()
            }
        }
        var settings = settings
        while !service.stop.wait(for: .milliseconds(100)), server.end == nil {
            if service.reloadIfAsked(&settings) { reload(settings, of: poller, service.logger) }
            service.tell(poller.sentence)
        }
        service.stopping()
        ticker.cancel()
        hub.close()
        sessions.stop()
        server.stop(within: .seconds(3))
        _ = thread.join(within: .seconds(1))
        if let failure = server.failure { throw failure }
        service.logger.report(.stopped, "stopped")
    }

    private func reload(_ settings: Settings, of poller: Poller, _ logger: Logger) {
        poller.settings = settings
        do throws(SettingsError) {
            gate.tokens.replace(try Scope.tokens(settings))
        } catch {
            logger.error("\(error); the tokens are those from before")
        }
    }

    /// How many connections there may be, after the limit of open files was raised for them.
    private func bounds(_ logger: Logger) -> ConnectionBounds {
        for remark in SettingsSchema.dashboard.remarks.compactMap({ $0(settings) }) { logger.warning("\(remark)") }
        let viewers = settings[.dashboardViewers]
        return ConnectionBounds(
            viewers: viewers, files: raiseOpenFilesLimit(to: ConnectionBounds.files(viewers: viewers)))
    }

    private var endpoint: Server.Endpoint {
        Server.Endpoint(
            address: settings[.dashboardAddress], port: settings[.dashboardPort],
            hint: "DASHBOARD_ADDRESS and DASHBOARD_PORT say where it listens")
    }

    private func router(
        _ poller: Poller, sessions: Workers<Session>, connections: Connections, requestGuard: RequestGuard,
        _ service: Service
    ) -> Router<Viewer> {
        let assets = Assets(directory: settings[.dashboardPageDirectory], chartJS: settings[.dashboardChartJS])
        if !assets.hasChart {
            service.logger.warning(
                "there is no \(settings[.dashboardChartJS]): the page has no charts. Install libjs-chart.js")
        }
        let router = Router(context: Viewer.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: requestGuard)
        API(
            poller: poller, connections: connections, sessions: sessions, charts: ChartCache(), exports: ExportSlots(),
            acting: acting, tokens: gate.tokens
        ).addRoutes(to: router)
        Pages(poller: poller, assets: assets).addRoutes(to: router)
        return router
    }
}
