public import Daemon
internal import FoundationEssentials

// Where PostgreSQL is. Names and defaults are the contract's.

extension Setting where Value == String {
    /// `POSTGRES_DB`: the database.
    public static var postgresDB: Setting {
        Setting("POSTGRES_DB", .text, default: "heartbeat_db", sentence: "The PostgreSQL database.")
    }
}

extension Setting where Value == String? {
    /// `POSTGRES_HOST`: the server; nil leaves it to libpq (`PGHOST`, a service file, the local socket).
    public static var postgresHost: Setting {
        Setting(
            "POSTGRES_HOST",
            .optional(
                .text(
                    "a host name, an address or the directory of a socket; the port is POSTGRES_PORT", where: areServers
                )),
            default: nil,
            sentence: "The PostgreSQL server. Without it libpq decides: PGHOST, a service file or the local socket.")
    }

    /// `POSTGRES_USER`: the role; nil leaves it to libpq (`PGUSER`, a service file, the system user's name).
    public static var postgresUser: Setting {
        Setting(
            "POSTGRES_USER", .optional(.text("the name of a role") { _ in true }), default: nil,
            sentence: "The PostgreSQL role. Without it libpq decides: PGUSER, a service file or the system user's name."
        )
    }

    /// `POSTGRES_PASSWORD`: the role's password; nil leaves it to libpq (`PGPASSWORD`, a password file) or needs none.
    public static var postgresPassword: Setting {
        Setting(
            "POSTGRES_PASSWORD", .optional(.text("a password") { _ in true }), default: nil,
            sentence: "The role's password. The local socket with peer authentication needs none."
        ).secret
    }
}

extension Setting where Value == Int? {
    /// `POSTGRES_PORT`: the server's port; nil leaves it to libpq (`PGPORT`, a service file, 5432).
    public static var postgresPort: Setting {
        Setting(
            "POSTGRES_PORT", .optional(.integer(in: 1...65_535)), default: nil,
            sentence: "The PostgreSQL server's port. Without it libpq decides: PGPORT, a service file or 5432.")
    }
}

/// libpq tries several servers in turn; a name that begins with "@" is a socket in no directory.
private func areServers(_ text: String) -> Bool {
    text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { server in
        server.hasPrefix("/") || server.hasPrefix("@") || (isHost(server) && !server.hasPrefix("["))
    }
}

extension Settings {
    /// The other machine that PostgreSQL is on; nil when it is this one, over a socket or by its own address.
    public var remotePostgreSQL: String? {
        let text = postgresParameters["host"] ?? ProcessInfo.processInfo.environment["PGHOST"] ?? ""
        return text.split(separator: ",").map(String.init).first { host in
            !["/", "@", "127."].contains { host.hasPrefix($0) } && !["localhost", "::1"].contains(host)
        }
    }

    /// The settings for libpq, by its keywords `host`, `port`, `dbname`, `user` and `password`.
    ///
    /// What is not set is not there, so that libpq's own variables (`PGHOST`, ...) and service files decide. The default
    /// of `POSTGRES_DB` gives way to `PGDATABASE` and `PGSERVICE`.
    public var postgresParameters: [String: String] {
        let isNamedElsewhere = !environmentNames.isDisjoint(with: ["PGDATABASE", "PGSERVICE"])
        var parameters: [String: String] = [:]
        func add<Value>(_ keyword: String, _ setting: Setting<Value>) {
            let text = text(of: setting)
            guard !text.isEmpty, origin(of: setting) != .declaration || !isNamedElsewhere else { return }
            parameters[keyword] = text
        }
        add("host", .postgresHost)
        add("port", .postgresPort)
        add("dbname", .postgresDB)
        add("user", .postgresUser)
        add("password", .postgresPassword)
        return parameters
    }
}
