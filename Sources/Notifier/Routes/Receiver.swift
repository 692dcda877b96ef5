/// Somebody who is told, and how.
struct Receiver: Sendable, Hashable {
    /// What is sent, and where to.
    enum Way: Sendable, Hashable {
        /// The own form by POST, signed when there is a key: see `WebhookMessage`.
        case webhook(url: String, key: [UInt8]?)
        /// What Alertmanager sends to its receivers, by POST; signed as well.
        case alertmanagerWebhook(url: String, key: [UInt8]?)
        /// Alertmanager itself, by its URL without a path of the interface.
        case alertmanager(url: String)
        /// An address of mail.
        case mail(address: String)
    }

    let name: String
    let way: Way

    /// Whether nobody on the way can read what it gets; for mail the settings see to that.
    var isPrivate: Bool {
        switch way {
        case .mail: true
        case .webhook(let url, _), .alertmanagerWebhook(let url, _), .alertmanager(let url):
            Address(url).map { $0.scheme == "https" || $0.isHere } ?? false
        }
    }
}
