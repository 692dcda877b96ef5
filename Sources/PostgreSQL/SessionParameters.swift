/// The server's settings that a session relies on, whatever a role, a database, a service file or the environment says.
///
/// They are given at connect by libpq's keyword `options` as `-c name=value`, which the server prefers to
/// `ALTER ROLE ... SET` and `ALTER DATABASE ... SET`, so they hold before the first statement.
///
/// Only three things can come between: PGTZ and PGDATESTYLE, which libpq sends after `options`, and a pooler that ignores
/// `options`. The server reports some of the settings; when one of these is not as it was asked for, all are set once more
/// by a statement. A pooler has to give each client a session of its own (PgBouncer: `pool_mode = session`): in transaction
/// mode a setting, an advisory lock or a temporary table would be another client's. PgBouncer itself refuses `options`
/// with an error, unless it was told to ignore them.
public struct SessionParameters: Sendable {
    /// A setting of the server.
    struct Setting: Equatable {
        let name: String
        let value: String
    }

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
    /// - Parameter defaultOptions: libpq's own `options` where `parameters` has none.
    func keywords(_ parameters: [String: String], defaultOptions: String?) -> [String: String] {
        var keywords = parameters
        let options = settings.map { "-c \($0.name)=\(Self.escaped($0.value))" }
        // Of the same setting twice the server takes the later one.
        let given = parameters["options"] ?? defaultOptions
        keywords["options"] = ([given].compactMap(\.self) + options).joined(separator: " ")
        // libpq would send PGCLIENTENCODING after the options.
        keywords["client_encoding"] = "UTF8"
        keywords["application_name"] = applicationName
        return keywords
    }

    /// The settings that are not in effect after connecting and have to be made by a statement: nearly always none.
    ///
    /// - Parameters:
    ///   - version: the server's version, as 150018 for 15.18.
    ///   - reported: the value of a setting that the server reports; nil for others.
    func settings(ofServer version: Int, reported: (String) -> String?) -> [Setting] {
        // Older servers refuse a setting that they do not know.
        let later = version >= 170_000 ? [Setting(name: "transaction_timeout", value: "0")] : []
        let isOtherwise = settings.contains { setting in
            reported(setting.name).map { $0 != setting.value } ?? false
        }
        return (isOtherwise ? settings : []) + later
    }

    /// In `options` a backslash stands before a space and before a backslash.
    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { $0 += $1 == " " || $1 == "\\" ? "\\\($1)" : "\($1)" }
    }
}
