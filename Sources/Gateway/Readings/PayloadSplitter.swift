/// Where the payloads are in a body that has several: the items of an array, or the lines of NDJSON.
///
/// What a payload has is `ReadingDecoder`'s to judge, also whether it is JSON at all.
enum PayloadSplitter {
    /// The items of a JSON array, or the whole body when it is none; nil when the array has no end or something behind it.
    static func json(_ bytes: [UInt8]) -> [Range<Int>]? {
        guard let start = bytes.firstIndex(where: { !isBlank($0) }), bytes[start] == UInt8(ascii: "[") else {
            return [0..<bytes.count]
        }
        var items: [Range<Int>] = []
        var (depth, isText, isEscaped, from) = (0, false, false, start + 1)
        for index in bytes.indices.dropFirst(start + 1) {
            let byte = bytes[index]
            if isText {
                isText = byte != UInt8(ascii: "\"") || isEscaped
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]") where depth == 0:
                guard bytes[(index + 1)...].allSatisfy(isBlank) else { return nil }
                let isEmpty = items.isEmpty && bytes[from..<index].allSatisfy(isBlank)
                return isEmpty ? [] : items + [from..<index]
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                items.append(from..<index)
                from = index + 1
            default: break
            }
        }
        return nil
    }

    /// The lines that are not blank.
    static func lines(_ bytes: [UInt8]) -> [Range<Int>] {
        bytes.split(separator: UInt8(ascii: "\n")).filter { !$0.allSatisfy(isBlank) }.map(\.indices)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }
}
