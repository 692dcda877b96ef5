internal import FoundationEssentials
internal import HeartRate

/// An event as a message of mail (RFC 5322).
struct MailMessage {
    /// Header and body, its lines ended by CR and LF.
    let text: [UInt8]

    /// - Parameters:
    ///   - sender: an address.
    ///   - recipient: an address.
    ///   - now: microseconds since 1970.
    init(_ event: EpisodeEvent, from sender: String, to recipient: String, at now: Int64) {
        let what = "\(event.severity.name) \(event.kind.name) \(event.event.rawValue)"
        let body = Data((Self.lines(event).joined(separator: "\r\n") + "\r\n").utf8).base64EncodedString()
        let header = [
            "From: heartbeat <\(sender)>", "To: <\(recipient)>",
            "Subject: \(Self.words("[heartbeat] \(what): \(event.customerID)"))",
            "Date: \(Self.date(now))", "Message-ID: <\(event.messageID)@heartbeat>",
            // Programs show the messages about one episode together.
            "References: <episode-\(event.episodeID)@heartbeat>", "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
        ]
        text = Array(((header + [""] + Self.pieces(body, of: 76)).joined(separator: "\r\n") + "\r\n").utf8)
    }

    private static func lines(_ event: EpisodeEvent) -> [String] {
        var lines = [
            "\(event.customerID): \(event.kind.name), \(event.event.rawValue)", "", event.reason, "",
            "severity: \(event.severity.name), at worst \(event.worstSeverity.name)",
            "began: \(moment(event.times.opened))", "raised: \(moment(event.times.raised))",
        ]
        if let closed = event.times.closed { lines.append("ended: \(moment(closed))") }
        if let rate = event.heartRate { lines.append("heart rate furthest beyond the limit: \(rate) bpm") }
        if !event.groups.isEmpty { lines.append("groups: \(event.groups.joined(separator: ", "))") }
        if let person = event.person { lines.append("by: \(person)") }
        if let note = event.note { lines.append("note: \(note)") }
        return lines + ["episode: \(event.episodeID)"]
    }

    /// A text in a header: as encoded words (RFC 2047) unless it is printable ASCII. No line end gets through.
    static func words(_ text: String) -> String {
        if text.utf8.allSatisfy({ (32...126).contains($0) }), !text.contains("=?") { return text }
        var words: [String] = []
        var word: [UInt8] = []
        // An encoded word has at most 75 characters and does not divide a character.
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if word.count + bytes.count > 45 {
                words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
                word = []
            }
            word += bytes
        }
        return (words + ["=?utf-8?B?\(Data(word).base64EncodedString())?="]).joined(separator: "\r\n ")
    }

    /// `Thu, 26 Nov 2026 15:00:00 +0000`.
    static func date(_ microseconds: Int64) -> String {
        let days = Int((microseconds / 86_400_000_000) % 7)
        // 1970 began with a Thursday.
        let day = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days]
        let parts = moment(microseconds).split { "-T:.+".contains($0) }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(Int(parts[1]) ?? 1) - 1]
        return "\(day), \(parts[2]) \(month) \(parts[0]) \(parts[3]):\(parts[4]):\(parts[5]) +0000"
    }

    private static func pieces(_ text: String, of size: Int) -> [String] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map { start in
            String(decoding: bytes[start..<min(start + size, bytes.count)], as: UTF8.self)
        }
    }
}
