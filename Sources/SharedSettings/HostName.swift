/// Whether a text is the name or the address of a machine and nothing else: no scheme, no port, no path, no pattern.
///
/// An address of version 6 may stand in brackets.
public func isHost(_ text: some StringProtocol) -> Bool {
    if text.hasPrefix("["), text.hasSuffix("]") { return isIPv6(text.dropFirst().dropLast()) }
    return isIPv6(text) || isName(text)
}

/// Whether a text is a host, with a port or without one; an address of version 6 is in brackets.
func isHostWithPort(_ text: some StringProtocol) -> Bool {
    let name = text.hasPrefix("[") ? text.prefix { $0 != "]" } + "]" : text.prefix { $0 != ":" }
    let rest = text.dropFirst(name.count)
    guard isHost(String(name)) else { return false }
    return rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst())
}

private func isPort(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { (48...57).contains($0) } && UInt16(text).map { $0 > 0 } ?? false
}

private func isName(_ text: some StringProtocol) -> Bool {
    // Underscores are in no host name and in many networks of containers.
    !text.isEmpty && text.utf8.count <= 253 && !text.hasPrefix(".") && !text.hasPrefix("-")
        && text.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || "-._".utf8.contains(byte)
        }
}

private func isIPv6(_ text: some StringProtocol) -> Bool {
    text.utf8.count { $0 == UInt8(ascii: ":") } >= 2
        && text.prefix { $0 != "%" }.utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"/,;[]".utf8.contains($0) }
}
