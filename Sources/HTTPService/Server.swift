public import Hummingbird
public import Daemon
internal import Logging
internal import HummingbirdCore
internal import NIOCore
internal import NIOPosix
internal import struct ServiceLifecycle.ServiceGroupConfiguration
internal import class ServiceLifecycle.ServiceGroup

/// The HTTP server beside a thread that waits for its end.
public final class Server: Sendable {
    private let group: ServiceGroup
    private let task: Task<Void, Never>
    private let endpoint: Endpoint
    private let outcome = Monitor<Result<Void, any Error>?>(nil)

    /// Where to listen.
    public struct Endpoint: Sendable {
        let address: String
        let port: Int
        let hint: String

        /// - Parameters:
        ///   - address: an IP address of this machine.
        ///   - port: 0 takes a free one.
        ///   - hint: which settings say where it listens, for an error.
        public init(address: String, port: Int, hint: String) {
            self.address = address
            self.port = port
            self.hint = hint
        }
    }

    /// Begins to serve.
    ///
    /// - Parameters:
    ///   - addHandlers: is called for each connection; what these handlers answer does not reach the router.
    ///   - started: is called with the address once it listens: `http://127.0.0.1:8501`.
    public init<Context: RequestContext>(
        _ router: Router<Context>, on endpoint: Endpoint, _ connections: Connections, addHandlers: AddHandlers? = nil,
        started: @escaping @Sendable (String) -> Void
    ) where Context.Source == ApplicationRequestContextSource {
        self.endpoint = endpoint
        let application = Self.application(
            router, on: endpoint, connections, addHandlers: addHandlers, started: started)
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
    public var end: Result<Void, any Error>? { outcome.withLock { $0 } }

    /// Why it cannot serve.
    public var failure: CommandFailure? {
        guard case .failure(let error) = end, !(error is CancellationError) else { return nil }
        let cause = (error as? IOError).map { "\(SystemError(errno: $0.errnoCode))" } ?? "\(error)"
        return CommandFailure(
            .software, "unable to listen on \(endpoint.address), port \(endpoint.port): \(cause)",
            hint: endpoint.hint)
    }

    /// Lets requests that are being answered finish, and takes no more.
    public func stop(within limit: Duration) {
        let group = group
        Task { await group.triggerGracefulShutdown() }
        let milliseconds = Int(limit / .milliseconds(1))
        if outcome.wait(milliseconds: milliseconds, { $0 == nil ? nil : () }) != nil { return }
        task.cancel()
        _ = outcome.wait(milliseconds: 500) { $0 == nil ? nil : () }
    }

    private static func application<Context: RequestContext>(
        _ router: Router<Context>, on endpoint: Endpoint, _ connections: Connections, addHandlers: AddHandlers?,
        started: @escaping @Sendable (String) -> Void
    ) -> some ApplicationProtocol where Context.Source == ApplicationRequestContextSource {
        Application(
            router: router,
            server: HTTPServerBuilder { responder in
                HTTPServer(responder: responder, connections: connections, addHandlers: addHandlers)
            },
            // The system takes as many as it can have waiting.
            configuration: ApplicationConfiguration(
                address: .hostname(endpoint.address, port: endpoint.port), backlog: 4096),
            onServerRunning: { channel in
                // What a connection has sent is read before the next is taken.
                try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrors(connections), position: .first)
                }.get()
                let host = endpoint.address.contains(":") ? "[\(endpoint.address)]" : endpoint.address
                started("http://\(host):\(channel.localAddress?.port ?? 0)")
            },
            // One loop has closed a connection before it takes the next; answers are made on other threads.
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)),
            logger: Logger(label: "http", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}
