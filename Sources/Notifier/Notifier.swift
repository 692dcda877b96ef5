public import Daemon
internal import Logging
internal import PostgreSQL

/// `heartbeat notifier`: sends what happens to episodes to webhooks, to Alertmanager and by mail.
public struct Notifier {
    private let settings: Settings
    private let routes: Routes

    /// How often the database is asked for what is new.
    private static let pause = Duration.milliseconds(250)

    /// A notifier with these settings; asks nobody yet.
    ///
    /// - Throws: `SettingsError` when the file of routes cannot be used.
    public init(_ settings: Settings) throws(SettingsError) {
        self.settings = settings
        routes = try RoutesFile.read(settings)
    }

    /// Sends until it is stopped. It has started at once: without PostgreSQL it says so.
    ///
    /// - Throws: `SystemError` when no thread can be started.
    public func run(_ service: Service) throws {
        for remark in SettingsSchema.notifier.remarks.compactMap({ $0(self.settings) }) {
            service.logger.warning("\(remark)")
        }
        var settings = settings
        var dispatcher = Dispatcher(settings, service)
        try dispatcher.use(routes)
        let loop = service.loop("dispatcher")
        service.started()
        var backoff = Backoff(to: .seconds(3))
        while !service.stop.isRequested {
            loop.progressed()
            do throws(PostgreSQLError) {
                try dispatcher.round()
                service.answered(.postgreSQL)
                service.ready()
                backoff.reset()
                _ = service.stop.wait(for: Self.pause)
            } catch {
                service.waits(
                    for: .postgreSQL, "\(error)", error.sqlState.map { ["POSTGRES_SQLSTATE": "\($0.rawValue)"] } ?? [:])
                _ = service.stop.wait(for: backoff.next())
            }
            if service.reloadIfAsked(&settings) { try reload(settings, of: &dispatcher, service) }
        }
        service.stopping()
        dispatcher.stop()
        service.logger.report(.stopped, "stopped")
    }

    private func reload(_ settings: Settings, of dispatcher: inout Dispatcher, _ service: Service) throws(SystemError) {
        let routes: Routes
        do throws(SettingsError) {
            routes = try RoutesFile.read(settings)
        } catch {
            return service.logger.error("\(error); the routes are those from before")
        }
        try dispatcher.use(routes)
    }
}
