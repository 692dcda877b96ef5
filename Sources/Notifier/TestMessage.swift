public import Daemon
internal import Curl
internal import HeartRate

/// `heartbeat notifier test`: one message to one receiver, past the database.
public struct TestMessage {
    private let receiver: Receiver
    private let settings: Settings

    /// - Throws: `SettingsError` when the file of routes cannot be used; `CommandFailure` when it has no such receiver.
    public init(to name: String, _ settings: Settings) throws {
        let routes = try RoutesFile.read(settings)
        guard let receiver = routes.receivers.first(where: { $0.name == name }) else {
            let names = routes.receivers.map(\.name).joined(separator: ", ")
            throw CommandFailure(
                .software, "there is no receiver \"\(name)\"",
                hint: "\(settings[.notifierRoutesFile]) has \(names.isEmpty ? "none" : names)")
        }
        self.receiver = receiver
        self.settings = settings
    }

    /// Sends it and waits for the answer.
    ///
    /// - Throws: `CommandFailure` when the receiver has not taken it.
    public func send() throws {
        let now = wallClockMicroseconds()
        let event = EpisodeEvent(
            id: 0, messageID: "test-\(now)", event: .test, episodeID: 0, customerID: "test", groups: [],
            kind: .tachycardia, severity: .low, worstSeverity: .low, earlierSeverity: nil,
            times: .init(recorded: now, happened: now, opened: now, raised: now, closed: nil), heartRate: nil,
            reason: "This is a test of heartbeat's notifier. Nobody is in trouble.", person: nil, note: nil)
        switch try Carrier(receiver, settings).send(event) {
        case .delivered: return
        case .refused(let cause):
            throw CommandFailure(.software, "the receiver \"\(receiver.name)\" refuses the message: \(cause)")
        case .unavailable(let cause):
            throw CommandFailure(.unavailable, "unable to send to the receiver \"\(receiver.name)\": \(cause)")
        }
    }
}
