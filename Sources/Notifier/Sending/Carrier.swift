internal import Curl
internal import Daemon

/// What sends to one receiver. Used from one thread.
struct Carrier {
    private let receiver: Receiver
    private let curl: CurlSession
    private let mailServer: CurlSession.MailServer
    private let mailFrom: String

    /// - Throws: `CurlError` when there is not enough memory.
    init(_ receiver: Receiver, _ settings: Settings) throws(CurlError) {
        self.receiver = receiver
        let limits = CurlSession.Limits(
            timeout: settings[.notifierTimeout], certificates: settings[.notifierCAFile])
        curl = try CurlSession(limits)
        let url = settings[.notifierMailServer]
        let login = settings[.notifierMailUser].map { user in
            (user: user, password: settings[.notifierMailPassword] ?? "")
        }
        mailServer = CurlSession.MailServer(url, needsTLS: Address(url)?.isHere != true, login: login)
        mailFrom = settings[.notifierMailFrom]
    }

    /// Sends an event, and waits for the answer.
    func send(_ event: EpisodeEvent, while goesOn: @escaping () -> Bool = { true }) -> Outcome {
        let now = wallClockMicroseconds()
        do {
            switch receiver.way {
            case .webhook(let url, let key):
                var message = try Message(WebhookMessage(event), inSnakeCase: true)
                message.sign(event.messageID, key: key, at: now / 1_000_000)
                return try post(message, to: url, goesOn)
            case .alertmanagerWebhook(let url, let key):
                var message = try Message(
                    AlertmanagerWebhook(event, for: receiver.name, at: now), inSnakeCase: false)
                message.sign(event.messageID, key: key, at: now / 1_000_000)
                return try post(message, to: url, goesOn)
            case .alertmanager(let url):
                let message = try Message(Alert.alerts(of: event, at: now), inSnakeCase: false)
                return try post(message, to: url + "/api/v2/alerts", goesOn)
            case .mail(let address): return mail(event, to: address, at: now, goesOn)
            }
        } catch {
            return .unavailable("\(error)")
        }
    }

    /// Sends again what is open, to a receiver that forgets.
    func refresh(_ events: [EpisodeEvent], while goesOn: @escaping () -> Bool) -> Outcome {
        guard case .alertmanager(let url) = receiver.way else { return .delivered }
        let now = wallClockMicroseconds()
        do {
            let alerts = events.flatMap { Alert.alerts(of: $0, at: now) }.filter { !$0.isOver }
            return try post(Message(alerts, inSnakeCase: false), to: url + "/api/v2/alerts", goesOn)
        } catch {
            return .unavailable("\(error)")
        }
    }

    private func post(_ message: Message, to url: String, _ goesOn: @escaping () -> Bool) throws(CurlError) -> Outcome {
        let answer = try curl.post(message.body, to: url, headers: message.headers, while: goesOn)
        return Outcome(status: answer.status, body: answer.body)
    }

    private func mail(
        _ event: EpisodeEvent, to address: String, at now: Int64, _ goesOn: @escaping () -> Bool
    ) -> Outcome {
        let message = MailMessage(event, from: mailFrom, to: address, at: now)
        let letter = CurlSession.Letter(from: mailFrom, to: address, text: message.text)
        do throws(CurlError) {
            try curl.mail(letter, by: mailServer, while: goesOn)
            return .delivered
        } catch {
            // What a server says of an address or a message (RFC 5321, 4.2.3); all else is about the server or the login.
            return (550...554).contains(curl.lastStatus) ? .refused("\(error)") : .unavailable("\(error)")
        }
    }
}
