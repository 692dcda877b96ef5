internal import CLibZ

/// Packs bytes as a gzip file (RFC 1952).
///
/// - Parameter level: 1 is fastest, 9 packs best.
/// - Returns: nil when there is not enough memory.
public func gzip(_ bytes: [UInt8], level: Int = 6) -> [UInt8]? {
    var stream = unsafe z_stream()
    // zlib.h: 16 added to windowBits asks for a gzip instead of a zlib wrapper; 8 is the default memLevel.
    let version = unsafe zlibVersion()
    guard
        unsafe deflateInit2_(
            &stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, version,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { unsafe deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))))
    let code = unsafe input.withUnsafeMutableBufferPointer { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
            unsafe stream.next_in = source.baseAddress
            unsafe stream.avail_in = UInt32(source.count)
            unsafe stream.next_out = target.baseAddress
            unsafe stream.avail_out = UInt32(target.count)
            return unsafe deflate(&stream, Z_FINISH)
        }
    }
    guard code == Z_STREAM_END else { return nil }
    return Array(output.prefix(Int(unsafe stream.total_out)))
}

/// The bytes' CRC-32, as gzip has it.
public func crc32(of bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: unsafe bytes.withUnsafeBufferPointer { unsafe crc32_z(0, $0.baseAddress, $0.count) })
}
