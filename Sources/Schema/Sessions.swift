public import PostgreSQL

/// The sessions of heartbeat's daemons and commands: what each needs beyond the common settings.
extension SessionParameters {
    /// The consumer. When it is stopped in mid-transaction the server ends its session, and it waits for no lock
    /// indefinitely.
    public static let consumer = SessionParameters(applicationName: "heartbeat-consumer")
        .limits(statement: .seconds(60), lock: .seconds(10), idleInTransaction: .seconds(60))

    /// The dashboard. Its role can only read; this also holds for a role that somebody has lent it.
    ///
    /// - Parameter statementLimit: how long one statement may take.
    public static func dashboard(statementLimit: Duration) -> SessionParameters {
        SessionParameters(applicationName: "heartbeat-dashboard")
            .limits(statement: statementLimit, lock: .seconds(1))
            .setting("default_transaction_read_only", to: "on")
            .setting("jit", to: "off")
    }

    /// The notifier.
    public static let notifier = SessionParameters(applicationName: "heartbeat-notifier")
        .limits(statement: .seconds(10), lock: .seconds(5), idleInTransaction: .seconds(30))
        .setting("jit", to: "off")

    /// `heartbeat database setup`, which waits for another setup and for whoever holds a table.
    public static let setup = SessionParameters(applicationName: "heartbeat-database")

    /// `heartbeat database maintain`. It waits 50 ms at most for a lock that consumers need, and counts a day on one core
    /// only, so that batches have the others.
    public static let maintenance = SessionParameters(applicationName: "heartbeat-maintenance")
        .limits(lock: .milliseconds(50), idleInTransaction: .seconds(60))
        .setting("max_parallel_workers_per_gather", to: "0")

    /// The other session of `heartbeat database maintain`, whose transaction lasts as long as the run.
    public static let maintenanceLock = SessionParameters(applicationName: "heartbeat-maintenance")

    /// What keeps everybody from changing a day while `heartbeat database maintain` seals it: in a transaction that does
    /// nothing for as long as that takes.
    public static let sealing = SessionParameters(applicationName: "heartbeat-sealing").limits(lock: .seconds(60))

    /// `heartbeat database status`.
    public static let status = SessionParameters(applicationName: "heartbeat-database").limits(lock: .seconds(10))

    /// `heartbeat doctor`, which nobody shall wait for.
    public static let doctor = SessionParameters(applicationName: "heartbeat-doctor")
        .limits(statement: .seconds(10), lock: .seconds(2))
        .setting("default_transaction_read_only", to: "on")

    /// `heartbeat rejected`.
    public static let rejected = SessionParameters(applicationName: "heartbeat-rejected").limits(lock: .seconds(10))

    /// `heartbeat verify`. A row-level policy that would hide rows is an error here, so that the proof is about all rows.
    public static let verify = SessionParameters(applicationName: "heartbeat-verify").setting("row_security", to: "off")

    /// `heartbeat benchmark`, beside the sessions that it measures.
    public static let benchmark = SessionParameters(applicationName: "heartbeat-benchmark")

    /// The demo's figures.
    public static let demo = SessionParameters(applicationName: "heartbeat-demo")
}
