internal import CLibZ

/// Why bytes cannot be unpacked.
public enum GunzipError: Error, Equatable {
    /// They are no gzip, or a corrupt or truncated one.
    case corrupt
    /// There is more in them than is taken.
    case tooLarge
}

/// Unpacks a gzip file (RFC 1952) of one member.
///
/// - Parameter limit: the most bytes that may come out: a small gzip can hold any number.
public func gunzip(_ bytes: [UInt8], limit: Int) throws(GunzipError) -> [UInt8] {
    var stream = unsafe z_stream()
    // zlib.h: 16 added to windowBits asks for a gzip wrapper alone.
    guard unsafe inflateInit2_(&stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw .corrupt
    }
    defer { unsafe inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var code = Z_OK
    while code == Z_OK {
        guard output.count <= limit else { throw .tooLarge }
        let start = output.count
        output += [UInt8](repeating: 0, count: max(4096, min(bytes.count * 4, limit + 1 - start)))
        code = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                let taken = Int(unsafe stream.total_in)
                unsafe stream.next_in = source.baseAddress.map { unsafe $0 + taken }
                unsafe stream.avail_in = UInt32(source.count - taken)
                unsafe stream.next_out = target.baseAddress.map { unsafe $0 + start }
                unsafe stream.avail_out = UInt32(target.count - start)
                return unsafe inflate(&stream, Z_NO_FLUSH)
            }
        }
        output.removeLast(output.count - Int(unsafe stream.total_out))
    }
    guard code == Z_STREAM_END, unsafe stream.avail_in == 0 else { throw .corrupt }
    guard output.count <= limit else { throw .tooLarge }
    return output
}
