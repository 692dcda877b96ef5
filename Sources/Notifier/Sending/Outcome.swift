internal import Bytes

/// What has become of an attempt to send.
enum Outcome: Sendable, Equatable {
    case delivered
    /// The receiver does not want this one, and would not the next time.
    case refused(String)
    /// The receiver cannot be reached, does not work, or does not know us: any other message would fare the same.
    case unavailable(String)

    /// What an answer by HTTP means.
    init(status: Int, body: [UInt8]) {
        let text = escapingControls(String(decoding: body.prefix(200), as: UTF8.self))
        let words = "HTTP status \(status)" + (text.isEmpty ? "" : ": \(text)")
        self =
            switch status {
            case 200..<300: .delivered
            // What a receiver says of a message. All others, also 401 and 404, say something of the receiver or its address.
            case 400, 406, 409, 411, 413, 414, 415, 422, 431: .refused(words)
            default: .unavailable(words)
            }
    }
}
