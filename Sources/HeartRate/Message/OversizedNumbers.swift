import Bytes

/// Numbers that JSON allows and that fit neither 64 bits nor a double: `1e400`, `99999999999999999999`.
///
/// simdjson calls them malformed. A message is no less JSON for them: in a field that nobody knows they are ignored,
/// and as a heart rate they are out of range. So when simdjson complains about a number, each of these is overwritten
/// by `placeholder` and the message is parsed once more.
struct OversizedNumbers {
    /// No number of the same text is shorter than this one.
    static let placeholder: [UInt8] = Array("9e99".utf8)
    static let placeholderValue = 9e99

    /// The message with each such number replaced.
    private(set) var payload: [UInt8]
    /// The first of them as it was written, and how many there are.
    private(set) var first = ""
    private(set) var count = 0

    /// Nil when `payload` holds none.
    init?(in payload: RawSpan) {
        self.payload = []
        self.payload.reserveCapacity(payload.byteCount)
        for offset in payload.byteOffsets { self.payload.append(payload[offset]) }
        replaceAll()
        if count == 0 { return nil }
    }

    /// How a sentence names the number, as long as there is only one that it can be.
    var description: String { count == 1 ? escapingControls(first, limit: 40) : "a number beyond 64 bits" }

    private mutating func replaceAll() {
        var inString = false
        var index = 0
        while index < payload.count {
            let byte = payload[index]
            if byte == UInt8(ascii: "\"") { inString.toggle() }
            if inString {
                index += byte == UInt8(ascii: "\\") ? 2 : 1
            } else if Self.isPartOfNumber(byte) {
                let end = payload[index...].firstIndex { !Self.isPartOfNumber($0) } ?? payload.count
                replace(index..<end)
                index = end
            } else {
                index += 1
            }
        }
    }

    private mutating func replace(_ range: Range<Int>) {
        let text = String(decoding: payload[range], as: UTF8.self)
        guard Self.isOversized(text) else { return }
        if count == 0 { first = text }
        count += 1
        for (offset, index) in range.enumerated() {
            payload[index] = offset < Self.placeholder.count ? Self.placeholder[offset] : UInt8(ascii: " ")
        }
    }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: false
        }
    }

    private static func isOversized(_ text: String) -> Bool {
        guard isNumber(text) else { return false }
        if text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
            return Int64(text) == nil && UInt64(text) == nil
        }
        return Double(text)?.isInfinite ?? false
    }

    /// RFC 8259, section 6: an optional minus, digits without a leading zero, optionally a fraction and an exponent.
    private static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text)
        func digits() -> Int {
            let found = rest.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
            rest = Substring(rest.utf8.dropFirst(found))
            return found
        }
        if rest.hasPrefix("-") { rest.removeFirst() }
        let leadingZero = rest.hasPrefix("0")
        let whole = digits()
        guard whole > 0, !leadingZero || whole == 1 else { return false }
        if rest.hasPrefix(".") {
            rest.removeFirst()
            guard digits() > 0 else { return false }
        }
        if rest.hasPrefix("e") || rest.hasPrefix("E") {
            rest.removeFirst()
            if rest.hasPrefix("+") || rest.hasPrefix("-") { rest.removeFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
