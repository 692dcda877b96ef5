public import Daemon
internal import HTTPTypes
import SharedSettings

extension Setting where Value == String {
    /// `DASHBOARD_ADDRESS`: the address to listen on.
    public static var dashboardAddress: Setting {
        Setting(
            "DASHBOARD_ADDRESS", .text("an IP address", where: isAddress), default: "127.0.0.1",
            sentence: """
                The address to listen on, such as 127.0.0.1, ::1, 0.0.0.0 or ::. One that other machines reach needs \
                DASHBOARD_PASSWORD_FILE.
                """)
    }

    /// `DASHBOARD_CHART_JS`: the file of Chart.js.
    public static var dashboardChartJS: Setting {
        Setting(
            "DASHBOARD_CHART_JS", .path, default: "/usr/share/javascript/chart.js/chart.min.js",
            sentence: "The file of Chart.js, from Debian's package libjs-chart.js.")
    }

    /// `DASHBOARD_TOKENS_FILE`: the file with the tokens' hashes.
    public static var dashboardTokensFile: Setting {
        Setting(
            "DASHBOARD_TOKENS_FILE", .path, default: "/etc/heartbeat/dashboard.tokens",
            sentence: """
                The file with the hash of each token and its scopes, read, acknowledge and manage, for programs that use the \
                addresses below /api and /fhir; "heartbeat dashboard token" writes a line. A reload reads it again.
                """)
    }
}

extension Setting where Value == String? {
    /// `DASHBOARD_PASSWORD_FILE`: the file with the password's hash; nil asks nobody for a password.
    public static var dashboardPasswordFile: Setting {
        Setting(
            "DASHBOARD_PASSWORD_FILE", .optional(.path), default: nil,
            sentence: """
                A file with the hash of the password that viewers need, as "mkpasswd" or "openssl passwd -6" prints it. \
                Any user name will do.
                """)
    }

    /// `DASHBOARD_ACTING_PASSWORD_FILE`: the file with the hash of a second password; nil lets everybody act who can look.
    public static var dashboardActingPasswordFile: Setting {
        Setting(
            "DASHBOARD_ACTING_PASSWORD_FILE", .optional(.path), default: nil,
            sentence: """
                A file with the hash of a second password, such as /etc/heartbeat/acting-password. Who acknowledges, or \
                sets limits, pauses, groups and notes, needs it; looking does not. Without it everybody may act who can look.
                """)
    }

    /// `DASHBOARD_USER_HEADER`: the header in which a proxy names who acts; nil for none.
    public static var dashboardUserHeader: Setting {
        Setting(
            "DASHBOARD_USER_HEADER", .optional(.text("a header's name") { HTTPField.Name($0) != nil }), default: nil,
            sentence: """
                The header in which a proxy of DASHBOARD_PROXIES names the user it has let in, such as X-Remote-User. Then \
                only who is named there may act, and under that name; the proxy has to remove the header from requests.
                """)
    }

    /// `DASHBOARD_HOSTS`: more names that the dashboard is reached by.
    public static var dashboardHosts: Setting {
        Setting(
            "DASHBOARD_HOSTS",
            .optional(
                .text("host names separated by commas, without schemes, ports or patterns") { hosts in
                    hosts.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { isHost($0) }
                }),
            default: nil,
            sentence: """
                The names that a proxy passes on in the Host header, such as hearts.example. localhost and the address that \
                it listens on are known without; other names are refused.
                """)
    }

    /// `DASHBOARD_PROXIES`: the proxies whose word on a client's address is taken; nil for none.
    public static var dashboardProxies: Setting {
        Setting(
            "DASHBOARD_PROXIES",
            .optional(
                .text("IP addresses separated by commas") { addresses in
                    addresses.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                        isAddress(String($0))
                    }
                }),
            default: nil,
            sentence: """
                The addresses of proxies, such as 127.0.0.1, whose X-Forwarded-For header says where a request comes from. \
                The journal then has that address beside a wrong password.
                """)
    }

    /// `DASHBOARD_PAGE_DIRECTORY`: a folder with the page's files; nil takes those in the program.
    public static var dashboardPageDirectory: Setting {
        Setting(
            "DASHBOARD_PAGE_DIRECTORY", .optional(.path), default: nil,
            sentence: "Serves the page's files from this folder, read at each request, instead of those in the program."
        )
    }
}

extension Setting where Value == Int {
    /// `DASHBOARD_PORT`: the port to listen on, 0 to 65535; 0 takes a free one.
    public static var dashboardPort: Setting {
        Setting(
            "DASHBOARD_PORT", .integer(in: 0...65_535), default: 8501,
            sentence: "The port to listen on. With 0 the system chooses a free one, which is logged.")
    }

    /// `DASHBOARD_VIEWERS`: the most pages that are kept up to date at a time, 1 to 10000.
    public static var dashboardViewers: Setting {
        Setting(
            "DASHBOARD_VIEWERS", .integer(in: 1...10_000, unit: "pages"), default: 500,
            sentence: """
                The maximum number of live pages; further ones are asked to try again later. The limit of open files has to \
                be 240 more.
                """)
    }
}

extension Setting where Value == Int {
    /// `REMIND_MINUTES`: how old an acknowledgement of an open episode of high severity is reminded of, 0 to 1440 minutes.
    public static var remindMinutes: Setting {
        Setting(
            "REMIND_MINUTES", .integer(in: 0...1440, unit: "minutes"), default: 10,
            sentence: """
                How long an acknowledgement holds while the episode stays at high severity: then the page asks for somebody \
                again. 0 never asks again.
                """, isReloadable: true)
    }
}

extension Setting where Value == Duration {
    /// `DASHBOARD_STALE_SECONDS`: data without a new reading for this long are shown as old, 1 to 86400 s.
    public static var dashboardStaleSeconds: Setting {
        Setting(
            "DASHBOARD_STALE_SECONDS", .seconds(in: 1...86_400), default: .seconds(15),
            sentence: """
                After how long without a new reading of anybody the page says that the data are old; longer when sensors send \
                more seldom.
                """)
    }
}

extension SettingsSchema {
    /// The settings of `heartbeat dashboard`.
    public static let dashboard: SettingsSchema = {
        var schema = SettingsSchema(
            name: "dashboard", sentence: "Settings of the dashboard, the live page on port 8501.",
            settings: [
                Setting.dashboardAddress, Setting.dashboardPort, Setting.dashboardHosts, Setting.dashboardProxies,
                Setting.dashboardPasswordFile, Setting.dashboardActingPasswordFile, Setting.dashboardTokensFile,
                Setting.dashboardUserHeader,
                Setting.dashboardViewers, Setting.dashboardStaleSeconds,
                Setting.remindMinutes, Setting.heartRateMin, Setting.heartRateMax,
                Setting.postgresHost, Setting.postgresPort, Setting.postgresDB, Setting.postgresUser,
                Setting.postgresPassword, Setting.startTimeoutSeconds, Setting.metricsDirectory,
                Setting.dashboardChartJS,
                Setting.dashboardPageDirectory, Setting.logLevel,
            ],
            checks: [heartRateLimits, closedByDefault, namedProxies, tokens, enoughFiles])
        schema.remarks = [fewerPages]
        return schema
    }()

    private static let tokens: Check = { settings in
        do throws(SettingsError) {
            _ = try Scope.tokens(settings)
            return nil
        } catch {
            return error.description
        }
    }

    /// Says that the limit of open files allows fewer live pages than are wanted.
    private static let fewerPages: Check = { settings in
        let wanted = settings[.dashboardViewers]
        return ConnectionBounds(viewers: wanted, files: mostOpenFiles()).remark(
            viewers: wanted, setting: settings.describe(.dashboardViewers))
    }

    /// The check that there are descriptors for anybody at all.
    private static let enoughFiles: Check = { _ in
        guard mostOpenFiles() < ConnectionBounds.leastFiles else { return nil }
        return """
            the limit of open files is \(mostOpenFiles()): raise it to \(ConnectionBounds.leastFiles) or more \
            (LimitNOFILE= of the unit, "ulimit -n")
            """
    }

    /// The check that a user's name is taken from a proxy alone.
    private static let namedProxies: Check = { settings in
        guard settings[.dashboardUserHeader] != nil, settings[.dashboardProxies] == nil else { return nil }
        return """
            \(settings.describe(.dashboardUserHeader)) can be made up by everybody: name the proxies that set it by \
            DASHBOARD_PROXIES
            """
    }

    /// The check that nobody on another machine can look without a password.
    private static let closedByDefault: Check = { settings in
        guard settings[.dashboardPasswordFile] == nil, !isLoopback(settings[.dashboardAddress]) else { return nil }
        return """
            \(settings.describe(.dashboardAddress)) can be reached from other machines, which needs a password: name a \
            file with its hash by DASHBOARD_PASSWORD_FILE, or listen on 127.0.0.1
            """
    }
}
