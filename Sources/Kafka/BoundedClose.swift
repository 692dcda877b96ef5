internal import Dispatch
internal import Glibc
internal import Synchronization

/// Closes a client on a thread of its own and waits for that, but at most 3 s, whatever becomes of the time of day.
///
/// librdkafka waits for brokers that never answer, and after a topic's deletion without end. Then the thread is left
/// behind, with all that it works on, until the process ends.
///
/// - Parameters:
///   - context: what the callbacks use; it lives as long as they can be called.
///   - close: closes the client and frees it; nobody else uses it any more.
/// - Returns: whether it is closed.
@discardableResult
func closeWithinLimit(
    keeping context: ClientContext, within limit: Duration = .seconds(3), _ close: @escaping () -> Void
) -> Bool {
    let end = End()
    // Only this thread uses them from here on.
    nonisolated(unsafe) let close = close
    nonisolated(unsafe) let context = context
    // A queue of its own has a thread of its own.
    DispatchQueue(label: "kafka-close").async {
        unsafe close()
        unsafe withExtendedLifetime(context) {}
        end.isReached.store(true, ordering: .releasing)
    }
    // A semaphore of Dispatch would wait until a time of day, which may be set meanwhile.
    let deadline = ContinuousClock.now + limit
    while !end.isReached.load(ordering: .acquiring) {
        guard ContinuousClock.now < deadline else { return false }
        usleep(1000)
    }
    return true
}

private final class End: Sendable {
    let isReached = Atomic(false)
}
