/// Rows in PostgreSQL's binary COPY format, appended into one buffer that is reused.
///
/// The format is that of the manual, "COPY", "Binary Format": a header, for each row the number of its fields and for
/// each field its length and its bytes in network byte order, and a trailer.
@safe public struct CopyBuffer: ~Copyable {
    private var bytes: UnsafeMutableRawBufferPointer
    private var used: Int
    /// How many rows are complete.
    public private(set) var rowCount = 0
    private var rowStart = 0

    private static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
    private static let trailer: Int16 = -1

    /// An empty buffer with room for so many bytes before it grows.
    public init(capacity: Int = 65_536) {
        unsafe bytes = .allocate(byteCount: max(capacity, 64), alignment: 1)
        used = 0
        removeAll()
    }

    deinit { unsafe bytes.deallocate() }

    /// How many bytes the rows take so far.
    public var byteCount: Int { used }

    /// Whether there is no row.
    public var isEmpty: Bool { rowCount == 0 }

    /// Drops the rows and keeps the memory, unless one outsized row made it grow beyond `limit` bytes.
    public mutating func removeAll(keepingAtMost limit: Int = .max) {
        if unsafe bytes.count > limit {
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(byteCount: max(limit, 64), alignment: 1)
        }
        unsafe bytes.copyBytes(from: Self.header)
        used = Self.header.count
        rowCount = 0
        rowStart = used
    }

    /// Starts a row of so many fields, which have to be appended next.
    public mutating func beginRow(fields: Int16) {
        rowStart = used
        rowCount += 1
        store(fields)
    }

    /// Takes the row that was begun last out again.
    public mutating func removeLastRow() {
        guard rowCount > 0 else { return }
        used = rowStart
        rowCount -= 1
    }

    /// A `smallint`.
    public mutating func append(_ value: Int16) {
        store(Int32(2))
        store(value)
    }

    /// An `integer`.
    public mutating func append(_ value: Int32) {
        store(Int32(4))
        store(value)
    }

    /// A `bigint`, or a `timestamptz` as microseconds since 2000-01-01T00:00:00Z.
    public mutating func append(_ value: Int64) {
        store(Int32(8))
        store(value)
    }

    /// A `boolean`.
    public mutating func append(_ value: Bool) {
        store(Int32(1))
        store(Int8(value ? 1 : 0))
    }

    /// A `text` or `varchar`.
    public mutating func append(_ value: borrowing Span<UInt8>) { unsafe append(value.bytes) }

    /// A `text`, `varchar` or `bytea`; nil for NULL.
    public mutating func append(_ value: RawSpan?) {
        guard let value else { return appendNull() }
        store(Int32(value.byteCount))
        reserve(value.byteCount)
        unsafe value.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[used...]).copyMemory(from: source)
        }
        used += value.byteCount
    }

    /// A `text`.
    public mutating func append(_ value: String) { unsafe append(Array(value.utf8).span.bytes) }

    /// A `jsonb`, whose binary form is a version, 1, and the text.
    public mutating func append(jsonb text: String) { unsafe append(([1] + Array(text.utf8)).span.bytes) }

    /// NULL.
    public mutating func appendNull() { store(Int32(-1)) }

    /// Lends the whole: header, rows, trailer.
    borrowing func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        // There is always room: every store reserves the trailer's bytes as well.
        unsafe bytes.storeBytes(of: Self.trailer.bigEndian, toByteOffset: used, as: Int16.self)
        unsafe body(UnsafeRawBufferPointer(rebasing: bytes[..<(used + 2)]))
    }

    @inline(__always)
    private mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        unsafe bytes.storeBytes(of: value.bigEndian, toByteOffset: used, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    @inline(__always)
    private mutating func reserve(_ count: Int) {
        guard unsafe used + count + 2 > bytes.count else { return }
        grow(by: count)
    }

    private mutating func grow(by count: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(bytes.count * 2, used + count + 64), alignment: 1)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<used]))
        unsafe bytes.deallocate()
        unsafe bytes = larger
    }
}
