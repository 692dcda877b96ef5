public import Daemon
internal import FoundationEssentials
internal import SharedSettings

extension Setting where Value == String {
    /// `NOTIFIER_ROUTES_FILE`: the file with the receivers and the routes.
    public static var notifierRoutesFile: Setting {
        Setting(
            "NOTIFIER_ROUTES_FILE", .path, default: "/etc/heartbeat/notifier.routes",
            sentence: """
                The file that says who is told of what: a line for each receiver and each route. A reload reads it again.
                """)
    }

    /// `NOTIFIER_MAIL_SERVER`: the server that takes mail.
    public static var notifierMailServer: Setting {
        Setting(
            "NOTIFIER_MAIL_SERVER",
            .text("smtp://HOST:PORT or smtps://HOST:PORT") { text in
                Address(text).map { ["smtp", "smtps"].contains($0.scheme) && $0.path.isEmpty } ?? false
            }, default: "smtp://localhost:25",
            sentence: """
                The server that takes mail. A server on another machine has to speak TLS: at once with smtps, by STARTTLS with \
                smtp.
                """)
    }

    /// `NOTIFIER_MAIL_FROM`: the sender of mail.
    public static var notifierMailFrom: Setting {
        Setting(
            "NOTIFIER_MAIL_FROM", .text("an address of mail", where: isMailAddress), default: "heartbeat@localhost",
            sentence: "The address that mail comes from.")
    }
}

extension Setting where Value == String? {
    /// `NOTIFIER_MAIL_USER`: whom to log in as.
    public static var notifierMailUser: Setting {
        Setting(
            "NOTIFIER_MAIL_USER", .optional(.text("a name") { _ in true }), default: nil,
            sentence: "The name to log in with at the server of mail. Without it nobody logs in.")
    }

    /// `NOTIFIER_MAIL_PASSWORD`: its password.
    public static var notifierMailPassword: Setting {
        Setting(
            "NOTIFIER_MAIL_PASSWORD", .optional(.text("a password") { _ in true }), default: nil,
            sentence: "The password to log in with at the server of mail."
        ).secret
    }

    /// `NOTIFIER_CA_FILE`: whose certificates are trusted.
    public static var notifierCAFile: Setting {
        Setting(
            "NOTIFIER_CA_FILE", .optional(.path), default: nil,
            sentence: """
                The file of the certificates, in PEM, that receivers' certificates have to come from. Without it those that \
                Debian's ca-certificates has.
                """)
    }
}

extension Setting where Value == Duration {
    /// `NOTIFIER_TIMEOUT_SECONDS`: how long one attempt may take, 1 to 20 s.
    public static var notifierTimeout: Setting {
        Setting(
            "NOTIFIER_TIMEOUT_SECONDS", .seconds(in: 1...20), default: .seconds(10),
            sentence: "How long a receiver may take to answer.")
    }

    /// `NOTIFIER_BACKOFF_SECONDS`: the longest pause between two attempts, 0.1 to 3600 s.
    public static var notifierBackoff: Setting {
        Setting(
            "NOTIFIER_BACKOFF_SECONDS", .seconds(in: 0.1...3600), default: .seconds(60),
            sentence: """
                The longest pause before a receiver that has failed is tried again; the first ones are shorter than a second.
                """)
    }

    /// `NOTIFIER_RETRY_SECONDS`: how long a message is tried for, 1 to 604800 s.
    public static var notifierRetry: Setting {
        Setting(
            "NOTIFIER_RETRY_SECONDS", .seconds(in: 1...604_800), default: .seconds(86_400),
            sentence: "For how long a message is tried; then it is given up, and the page says so.")
    }
}

extension SettingsSchema {
    /// The settings of `heartbeat notifier`.
    public static let notifier: SettingsSchema = {
        var schema = SettingsSchema(
            name: "notifier", sentence: "Settings of the notifier, which sends alarms to webhooks and by mail.",
            settings: [
                Setting.notifierRoutesFile, Setting.notifierTimeout, Setting.notifierBackoff, Setting.notifierRetry,
                Setting.notifierMailServer, Setting.notifierMailFrom, Setting.notifierMailUser,
                Setting.notifierMailPassword, Setting.notifierCAFile, Setting.postgresHost, Setting.postgresPort,
                Setting.postgresDB, Setting.postgresUser, Setting.postgresPassword, Setting.startTimeoutSeconds,
                Setting.metricsDirectory, Setting.logLevel,
            ],
            checks: [routes, certificates])
        schema.remarks = [noReceiver, unrouted, openFile, unencrypted]
        return schema
    }()

    private static let routes: Check = { settings in
        do throws(SettingsError) {
            _ = try RoutesFile.read(settings)
            return nil
        } catch {
            return error.description
        }
    }

    private static let certificates: Check = { settings in
        guard let path = settings[.notifierCAFile] else { return nil }
        do throws(SystemError) {
            try checkReadable(path)
            return nil
        } catch {
            return "\(settings.describe(.notifierCAFile)): unable to read the file: \(error)"
        }
    }

    private static let noReceiver: Check = { settings in
        guard let routes = try? RoutesFile.read(settings), routes.receivers.isEmpty else { return nil }
        return "there is no receiver in \(settings[.notifierRoutesFile]), so nobody is told of anything"
    }

    private static let unrouted: Check = { settings in
        guard let routes = try? RoutesFile.read(settings) else { return nil }
        let names = routes.receivers.map(\.name).filter { name in !routes.routes.contains { $0.receiver == name } }
        return names.isEmpty
            ? nil : "no route in \(settings[.notifierRoutesFile]) leads to \(names.joined(separator: ", "))"
    }

    /// Secrets and the addresses of some webhooks are worth as much as a password.
    private static let openFile: Check = { settings in
        let path = settings[.notifierRoutesFile]
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let mode = attributes?[.posixPermissions] as? any BinaryInteger, Int(mode) & 0o077 != 0 else {
            return nil
        }
        return "\(path) is readable by others than its owner: chmod 600 \(path)"
    }

    private static let unencrypted: Check = { settings in
        guard let routes = try? RoutesFile.read(settings) else { return nil }
        let names = routes.receivers.filter { !$0.isPrivate }.map(\.name)
        return names.isEmpty
            ? nil
            : "what \(names.joined(separator: ", ")) gets can be read on the way: their addresses are http, not https"
    }
}
