/// The server's settings that a session relies on, whatever a role, a database, a service file or the environment says.
///
/// They are given at connect by libpq's keyword `options` as `-c name=value`, which the server prefers to
/// `ALTER ROLE ... SET` and `ALTER DATABASE ... SET`, so they hold before the first statement.
///
/// A pooler does not pass them on: PgBouncer refuses `options`, or ignores them when it was told to. Between it and us there
/// is a session of the server only as long as a transaction lasts, so each transaction begins with all of the settings
/// then, in the message of its first statement.
public struct SessionParameters: Sendable {
    /// A setting of the server.
    struct Setting: Equatable {
        let name: String
        let value: String
    }

    /// Says of a session that it has got our `options`: the server knows settings with a dot that nobody has declared.
    static let mark = Setting(name: "heartbeat.session", value: "own")

    /// As `pg_stat_activity` shows the session.
    public let applicationName: String
    private(set) var settings: [Setting]

    /// A session with the common settings: the forms of values that this module reads and writes, the schema, and no limit
    /// of time.
    ///
    /// `lc_messages` is not among them, since an ordinary role may not set it: errors are told apart by SQLSTATE.
    public init(applicationName: String) {
        self.applicationName = applicationName
        settings = Self.common.map { Setting(name: $0.0, value: $0.1) }
    }

    private static let common: KeyValuePairs = [
        "client_encoding": "UTF8", "TimeZone": "UTC", "DateStyle": "ISO, MDY", "IntervalStyle": "iso_8601",
        "bytea_output": "hex", "array_nulls": "on", "standard_conforming_strings": "on",
        "client_min_messages": "warning", "exit_on_error": "off",
        "search_path": "public", "row_security": "on", "synchronous_commit": "on",
        "default_transaction_isolation": "read committed", "default_transaction_read_only": "off",
        "default_transaction_deferrable": "off",
        "statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0",
        "idle_session_timeout": "0",
    ]

    /// The same session with one setting that is different or more.
    public func setting(_ name: String, to value: String) -> SessionParameters {
        var session = self
        session.settings.removeAll { $0.name == name }
        session.settings.append(Setting(name: name, value: value))
        return session
    }

    /// The same session with limits of time; what is left out stays as it is.
    ///
    /// - Parameters:
    ///   - statement: how long one statement may take.
    ///   - lock: how long it may wait for one lock.
    ///   - idleInTransaction: how long an open transaction may wait for its next statement.
    public func limits(
        statement: Duration? = nil, lock: Duration? = nil, idleInTransaction: Duration? = nil
    ) -> SessionParameters {
        var session = self
        for (name, limit) in [
            ("statement_timeout", statement), ("lock_timeout", lock),
            ("idle_in_transaction_session_timeout", idleInTransaction),
        ] {
            if let limit { session = session.setting(name, to: "\(Int(limit / .milliseconds(1)))ms") }
        }
        return session
    }

    /// libpq's keywords for a session with this.
    ///
    /// - Parameters:
    ///   - defaultOptions: libpq's own `options` where `parameters` has none.
    ///   - isLent: whether a pooler has refused `options`.
    func keywords(
        _ parameters: [String: String], defaultOptions: String?, isLent: Bool = false
    ) -> [String: String] {
        var keywords = parameters
        let options = (settings + [Self.mark]).map { "-c \($0.name)=\(Self.escaped($0.value))" }
        // Of the same setting twice the server takes the later one.
        let given = parameters["options"] ?? defaultOptions
        keywords["options"] =
            isLent ? parameters["options"] : ([given].compactMap(\.self) + options).joined(separator: " ")
        // libpq would send PGCLIENTENCODING after the options.
        keywords["client_encoding"] = "UTF8"
        keywords["application_name"] = applicationName
        return keywords
    }

    /// What a session of our own still has to be told: libpq sends PGTZ and PGDATESTYLE after the options, and older servers
    /// would refuse a setting that they do not know.
    ///
    /// - Parameters:
    ///   - version: the server's, as 150018 for 15.18.
    ///   - reported: the value of a setting that the server reports; nil for others.
    func remaining(ofServer version: Int, reported: (String) -> String?) -> [Setting] {
        settings.filter { setting in reported(setting.name).map { $0 != setting.value } ?? false }
            + Self.later(than: version)
    }

    private static func later(than version: Int) -> [Setting] {
        version >= 170_000 ? [Setting(name: "transaction_timeout", value: "0")] : []
    }

    /// What a session that a pooler lends is told once. Only what the pooler keeps for each of its clients (PgBouncer: these
    /// four) may be set like this; it has to hold before a transaction's first message is read.
    var lentSession: String {
        let kept = ["client_encoding", "TimeZone", "DateStyle", "standard_conforming_strings"]
        return settings.filter { kept.contains($0.name) }.map { "SET \($0.name) = '\($0.value)';" }.joined()
    }

    /// What a transaction in a session that a pooler lends begins with: utility commands only, so that its isolation may
    /// still be chosen.
    ///
    /// - Parameter role: the role to act as; nil for the session's own.
    func lentTransaction(ofServer version: Int, role: String?) -> String {
        let limits = settings.filter { $0.name.hasSuffix("_timeout") } + Self.later(than: version)
        let others = settings.filter { setting in !limits.contains { $0.name == setting.name } }
        let modes = others.first { $0.name == "default_transaction_read_only" }?.value == "on" ? "ONLY" : "WRITE"
        return (limits + others).map { "SET LOCAL \($0.name) = \(Self.literal($0));" }.joined()
            + "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ \(modes), NOT DEFERRABLE;"
            + (role.map { "SET LOCAL ROLE \(PostgreSQLConnection.identifier($0));" } ?? "")
    }

    /// A list of names is no single literal.
    private static func literal(_ setting: Setting) -> String {
        setting.name == "search_path" ? setting.value : "'\(setting.value)'"
    }

    /// In `options` a backslash stands before a space and before a backslash.
    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { $0 += $1 == " " || $1 == "\\" ? "\\\($1)" : "\($1)" }
    }
}
