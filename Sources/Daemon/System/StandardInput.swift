/// The next line of standard input, without its end; nil when there is none.
///
/// It reads the descriptor itself: a thread that waits in stdio holds a lock that exit(3) takes since glibc 2.41.
public func nextInputLine() -> String? {
    var line: [UInt8] = []
    while let byte = readByte(0) {
        if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
        line.append(byte)
    }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
}
