/// Whether a text is an IP address. What is wrong with one of version 6 is the system's to say when it listens.
public func isAddress(_ text: String) -> Bool {
    ipv4(text) != nil || (text.contains(":") && text.utf8.allSatisfy { "0123456789abcdefABCDEF:.%".utf8.contains($0) })
}

/// Whether only this machine can reach the address: 127.0.0.0/8 and ::1.
public func isLoopback(_ address: String) -> Bool {
    address == "::1" || ipv4(address)?.first == 127
}

private func ipv4(_ text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.utf8.allSatisfy { (48...57).contains($0) } ? UInt8(part) : nil }
    return parts.count == 4 && numbers.count == 4 ? numbers : nil
}
