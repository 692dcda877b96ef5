internal import SharedSettings

/// A server's URL, taken apart as far as it has to be judged.
struct Address {
    /// In lower case.
    let scheme: String
    let host: String
    /// From the first slash after the host on.
    let path: String

    /// nil when it is none, has a user's name in it, or characters that no URL has.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            text.utf8.allSatisfy({ (33...126).contains($0) }), !text.contains(where: { "\"<>\\^`{|}#".contains($0) })
        else { return nil }
        scheme = text[..<colon].lowercased()
        let rest = text[colon...].dropFirst(3)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        path = String(rest[end...])
        var place = rest[..<end]
        guard !place.contains("@") else { return nil }
        // A port comes after the last colon, unless that belongs to an address of IPv6.
        if let colon = place.lastIndex(of: ":"), !place[colon...].contains("]") {
            guard let port = Int(place[place.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
            place = place[..<colon]
        }
        host = String(place)
        guard isHost(host) else { return nil }
    }

    /// Whether it is this machine.
    var isHere: Bool {
        host == "localhost" || isLoopback(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    }
}

/// Whether mail can be sent to it: no more of the grammar than what is common, and nothing that could be a command or a
/// line of a header.
func isMailAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
        && text.utf8.allSatisfy { (33...126).contains($0) && !"<>()[],;:\\\"".utf8.contains($0) }
}
