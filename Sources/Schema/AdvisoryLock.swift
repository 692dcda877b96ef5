/// The advisory locks of a database. PostgreSQL knows an advisory lock by a number, here the hash of its name, and keeps
/// it until the transaction ends: a pooler may give the session to others after that.
///
/// A third one is in `db/0002_functions.sql`: `create_readings_partition` has its own, for one transaction.
public enum AdvisoryLock: String, Sendable {
    /// One `heartbeat database setup` at a time.
    case setup = "heartbeat database setup"
    /// One `heartbeat database maintain` at a time.
    case maintenance = "heartbeat database maintain"

    /// The statement that waits for the lock.
    public var wait: String { "SELECT pg_advisory_xact_lock(hashtext('\(rawValue)'))" }
    /// The statement that takes the lock when it is free, and says whether it was.
    public var attempt: String { "SELECT pg_try_advisory_xact_lock(hashtext('\(rawValue)'))" }
}
