internal import CLibZ

/// A gzip stream (RFC 1952) of blocks that know nothing of each other, so that many readers can share each block: a header,
/// any number of blocks, a trailer.
public struct GzipStream: Sendable {
    /// What comes first.
    public static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]

    private var checksum: UInt32 = 0
    private var count: UInt32 = 0

    /// A stream without a block yet.
    public init() {}

    /// Packs bytes as a block of their own: a reader has all of them as soon as it has the block.
    ///
    /// - Returns: nil when there is not enough memory.
    public static func block(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        // zlib.h: negative windowBits ask for no wrapper; 8 is the default memLevel.
        let version = unsafe zlibVersion()
        guard
            unsafe deflateInit2_(
                &stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        // A flush ends with an empty block, which deflateBound does not count.
        var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))) + 16)
        let code = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                return unsafe deflate(&stream, Z_SYNC_FLUSH)
            }
        }
        guard code == Z_OK, unsafe stream.avail_in == 0 else { return nil }
        return Array(output.prefix(Int(unsafe stream.total_out)))
    }

    /// Counts the bytes of a block that was sent.
    public mutating func add(_ bytes: [UInt8]) {
        let before = UInt(checksum)
        checksum = UInt32(
            truncatingIfNeeded: unsafe bytes.withUnsafeBufferPointer {
                unsafe crc32_z(before, $0.baseAddress, $0.count)
            })
        count &+= UInt32(truncatingIfNeeded: bytes.count)
    }

    /// What comes last: an empty final block, and what the whole has to be.
    public var trailer: [UInt8] {
        [3, 0] + [checksum, count].flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
    }
}
