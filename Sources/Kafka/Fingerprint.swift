/// 64 bits that tell a message from any other at the same offset.
///
/// FNV's scheme (xor, then multiply) over words of eight bytes instead of single bytes, with the upper half folded in after
/// each. Parts are told from each other by their lengths. Stored beside offsets, so it must never change.
public struct Fingerprint: Hashable, Sendable {
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The fingerprint of nothing.
    public init() {}

    /// As it is stored.
    public var value: Int64 { Int64(bitPattern: hash) }

    /// Takes a number in.
    public mutating func add(_ number: Int64) {
        hash = (hash ^ UInt64(bitPattern: number)) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 32
    }

    /// Takes bytes in, and how many they are; nil differs from no bytes.
    public mutating func add(_ bytes: RawSpan?) {
        guard let bytes else { return add(-1) }
        add(Int64(bytes.byteCount))
        var offset = 0
        while offset + 8 <= bytes.byteCount {
            add(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Int64.self))
            offset += 8
        }
        guard offset < bytes.byteCount else { return }
        var rest: Int64 = 0
        while offset < bytes.byteCount {
            rest = rest << 8 | Int64(unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        add(rest)
    }
}

extension KafkaMessage {
    /// Of its time stamp, its key and its value.
    public var fingerprint: Int64 {
        var fingerprint = Fingerprint()
        fingerprint.add(timestamp ?? -1)
        fingerprint.add(key)
        fingerprint.add(payload)
        return fingerprint.value
    }
}
