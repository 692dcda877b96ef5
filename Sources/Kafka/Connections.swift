internal import Synchronization

/// How often a client has connected to each broker or asked where the topics are.
///
/// A log can lose its end only while its broker restarts or another broker takes it over, and a topic that was deleted and
/// created again is fetched only after its place was asked for. librdkafka counts here when it has sent the first request of a
/// connection, and each for metadata. So whoever compares the count at each message sees the change before the first message
/// that came after it.
final class Connections: Sendable {
    private let counts = Mutex(ConnectionCounts())
    private let sum = Atomic<Int>(0)

    /// The numbers of requests in Kafka's protocol.
    private static let metadata: Int16 = 3
    private static let apiVersions: Int16 = 18

    /// How often anything was counted.
    var total: Int { sum.load(ordering: .acquiring) }

    /// The counts of this moment.
    var now: ConnectionCounts { counts.withLock { $0 } }

    /// The client has sent a request.
    func sent(_ request: Int16, to broker: Int32) {
        switch request {
        case Self.apiVersions: counts.withLock { $0.connections[broker, default: 0] += 1 }
        case Self.metadata: counts.withLock { $0.lookups += 1 }
        default: return
        }
        sum.add(1, ordering: .releasing)
    }
}

/// How often a client had connected to each broker or asked where the topics are, at some moment. What comes at another count
/// may come from another log.
public struct ConnectionCounts: Sendable {
    var connections: [Int32: Int] = [:]
    var lookups = 0

    /// None.
    public init() {}

    /// How often it had connected to one broker or asked where the topics are.
    public func count(of broker: Int32) -> Int { (connections[broker] ?? 0) + lookups }
}
