internal import Glibc

/// A value that threads share: one at a time may use it, and a thread can sleep until it has changed.
///
/// The standard library's `Mutex` has no condition variable; this is `pthread_mutex_t` with `pthread_cond_t`.
/// `@unchecked Sendable` because the value is only touched while the mutex is held.
@safe public final class Monitor<Value: ~Copyable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    /// Shares a value.
    public init(_ value: consuming sending Value) {
        self.value = value
        unsafe mutex = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // Waits must not depend on somebody setting the clock.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(mutex)
        unsafe changed.deallocate()
        unsafe mutex.deallocate()
    }

    /// Uses the value; does not wake anybody.
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Wakes every thread that sleeps in `wait`, to look at the value again.
    public func wakeAll() { unsafe pthread_cond_broadcast(changed) }

    /// Looks at the value, and again each time somebody wakes this thread, until `body` returns something.
    ///
    /// - Parameter timeout: the most milliseconds to wait; nil means no limit.
    /// - Returns: nil when the time is over.
    public func wait<Result>(milliseconds timeout: Int? = nil, _ body: (inout Value) -> Result?) -> Result? {
        let deadline = timeout.map(Self.deadline(inMilliseconds:))
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if var deadline {
                guard unsafe pthread_cond_timedwait(changed, mutex, &deadline) == 0 else { return body(&value) }
            } else {
                unsafe pthread_cond_wait(changed, mutex)
            }
        }
    }

    private static func deadline(inMilliseconds timeout: Int) -> timespec {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + (timeout % 1000) * 1_000_000
        return timespec(
            tv_sec: time.tv_sec + timeout / 1000 + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
