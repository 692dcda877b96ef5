internal import Synchronization
internal import Zlib

/// What is sent to everybody: packed once, not for each of them.
struct Event: Sendable {
    let plain: [UInt8]
    /// A block of a gzip stream; nil without memory for it.
    let packed: [UInt8]?

    init(_ text: [UInt8]) {
        plain = text
        packed = GzipStream.block(text)
    }
}

/// Gives every event to everybody who listens. It never waits for a listener.
final class EventHub: Sendable {
    /// A listener that is this many events behind is dropped: at one a second a slow network has caught up long before.
    private static let mostWaiting = 8

    private struct Listener {
        let events: AsyncStream<Event>.Continuation
        /// Ends the connection, whatever it is waiting for.
        let disconnect: @Sendable () -> Void
    }

    private struct Audience {
        var listeners: [Int: Listener] = [:]
        var nextNumber = 0
        var latest: Event?
        var isClosed = false
    }

    private let audience = Mutex(Audience())
    private let mostListeners: Int

    private let metrics: DashboardMetrics

    init(mostListeners: Int, metrics: DashboardMetrics) {
        self.mostListeners = mostListeners
        self.metrics = metrics
    }

    /// Begins to listen: the latest event comes at once.
    ///
    /// - Returns: nil when there are as many listeners as there may be, or when the end is near.
    func listen(disconnect: @escaping @Sendable () -> Void) -> (number: Int, events: AsyncStream<Event>)? {
        let (events, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingOldest(Self.mostWaiting))
        return audience.withLock { audience in
            guard !audience.isClosed, audience.listeners.count < mostListeners else { return nil }
            if let latest = audience.latest { continuation.yield(latest) }
            audience.nextNumber += 1
            audience.listeners[audience.nextNumber] = Listener(events: continuation, disconnect: disconnect)
            metrics.setClients(audience.listeners.count)
            return (audience.nextNumber, events)
        }
    }

    /// Stops listening.
    func leave(_ number: Int) {
        let listener = audience.withLock { audience in
            defer { metrics.setClients(audience.listeners.count) }
            return audience.listeners.removeValue(forKey: number)
        }
        listener?.events.finish()
    }

    /// Gives an event to all, and drops those that have not taken the last ones.
    func publish(_ event: Event) {
        let slow = audience.withLock { audience -> [Listener] in
            audience.latest = event
            var slow: [Listener] = []
            for (number, listener) in audience.listeners {
                guard case .dropped = listener.events.yield(event) else { continue }
                slow.append(listener)
                audience.listeners[number] = nil
            }
            metrics.setClients(audience.listeners.count)
            return slow
        }
        for listener in slow {
            metrics.countDropped()
            listener.events.finish()
            listener.disconnect()
        }
    }

    /// Ends every stream; nobody can listen any more.
    func close() {
        let listeners = audience.withLock { audience in
            audience.isClosed = true
            defer { audience.listeners = [:] }
            return audience.listeners.values
        }
        for listener in listeners { listener.events.finish() }
    }

    /// How many listen now.
    var listenerCount: Int { audience.withLock { $0.listeners.count } }
}
