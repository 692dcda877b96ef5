import Hummingbird
internal import Daemon
internal import Logging
internal import NIOCore
internal import struct ServiceLifecycle.ServiceGroupConfiguration
internal import class ServiceLifecycle.ServiceGroup

/// The HTTP server beside a thread that waits for its end.
final class Server: Sendable {
    private let group: ServiceGroup
    private let task: Task<Void, Never>
    private let place: String
    private let outcome = Monitor<Result<Void, any Error>?>(nil)

    /// Begins to serve.
    ///
    /// - Parameter place: the address and the port, for an error.
    init(_ application: some ApplicationProtocol, at place: String) {
        self.place = place
        let group = ServiceGroup(
            configuration: .init(
                services: [application], logger: Logger(label: "http", factory: { _ in SwiftLogNoOpLogHandler() })))
        self.group = group
        task = Task { [outcome] in
            let result: Result<Void, any Error>
            do {
                result = .success(try await group.run())
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            outcome.wakeAll()
        }
    }

    /// How it has ended; nil as long as it serves.
    var end: Result<Void, any Error>? { outcome.withLock { $0 } }

    /// Why it cannot serve.
    var failure: CommandFailure? {
        guard case .failure(let error) = end, !(error is CancellationError) else { return nil }
        let cause = (error as? IOError).map { "\(SystemError(errno: $0.errnoCode))" } ?? "\(error)"
        return CommandFailure(
            .software, "unable to listen on \(place): \(cause)",
            hint: "DASHBOARD_ADDRESS and DASHBOARD_PORT say where it listens")
    }

    /// Lets requests that are being answered finish, and takes no more.
    func stop(within limit: Duration) {
        let group = group
        Task { await group.triggerGracefulShutdown() }
        let milliseconds = Int(limit / .milliseconds(1))
        if outcome.wait(milliseconds: milliseconds, { $0 == nil ? nil : () }) != nil { return }
        task.cancel()
        _ = outcome.wait(milliseconds: 500) { $0 == nil ? nil : () }
    }
}
