/// Rows in PostgreSQL's binary COPY format, appended into one buffer that is reused.
///
/// The format is that of the manual, "COPY", "Binary Format": a header, for each row the number of its fields and for
/// each field its length and its bytes in network byte order, and a trailer.
@safe public struct CopyBuffer: ~Copyable {
    private var bytes: UnsafeMutableRawBufferPointer
    private var used: Int
    private var rowStarts: [Int] = []

    private static let header: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
    private static let trailer: [UInt8] = [0xFF, 0xFF]

    /// An empty buffer with room for some bytes before it grows.
    public init(capacity: Int = 65_536) {
        unsafe bytes = .allocate(byteCount: max(capacity, 64), alignment: 1)
        used = 0
        removeAll()
    }

    deinit { unsafe bytes.deallocate() }

    /// How many rows there are.
    public var rowCount: Int { rowStarts.count }

    /// How many bytes the rows take so far.
    public var byteCount: Int { used }

    /// Whether there is no row.
    public var isEmpty: Bool { rowStarts.isEmpty }

    /// Drops the rows and keeps the memory, unless one outsized row made it grow beyond `limit` bytes.
    public mutating func removeAll(keepingAtMost limit: Int = .max) {
        if unsafe bytes.count > limit {
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(byteCount: max(limit, 64), alignment: 1)
        }
        unsafe bytes.copyBytes(from: Self.header)
        used = Self.header.count
        rowStarts.removeAll(keepingCapacity: true)
    }

    /// Starts a row; its fields have to be appended next.
    public mutating func beginRow(fields: Int16) {
        rowStarts.append(used)
        store(fields)
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

    /// Changes the last field of a row, which has to be a `boolean`.
    public mutating func setLastField(of row: Int, to value: Bool) {
        let end = row + 1 < rowStarts.count ? rowStarts[row + 1] : used
        unsafe bytes.storeBytes(of: value ? 1 : 0, toByteOffset: end - 1, as: Int8.self)
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

    /// Which part of all rows the buffer has.
    struct Part: OptionSet {
        let rawValue: Int
        static let first = Part(rawValue: 1)
        static let last = Part(rawValue: 2)
    }

    /// Lends header, rows and trailer piece by piece, as long as `send` returns true.
    ///
    /// - Parameters:
    ///   - order: the rows' numbers in the order in which to send them; all of them, or none for the order in which they
    ///     were appended.
    ///   - part: the header comes before the first, and the trailer behind the last.
    /// - Returns: whether everything was sent.
    borrowing func send(
        order: [Int] = [], part: Part = [.first, .last], _ send: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        var piece: [UInt8] = []
        piece.reserveCapacity(Self.pieceSize)
        if part.contains(.first) { piece += Self.header }
        for position in rowStarts.indices {
            let row = order.isEmpty ? position : order[position]
            let end = row + 1 < rowStarts.count ? rowStarts[row + 1] : used
            unsafe piece.append(contentsOf: bytes[rowStarts[row]..<end])
            if piece.count >= Self.pieceSize {
                guard unsafe piece.withUnsafeBytes(send) else { return false }
                piece.removeAll(keepingCapacity: true)
            }
        }
        if part.contains(.last) { piece += Self.trailer }
        guard !piece.isEmpty else { return true }
        return unsafe piece.withUnsafeBytes(send)
    }

    /// libpq copies what it gets into a buffer that only grows.
    private static let pieceSize = 65_536

    @inline(__always)
    private mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        reserve(MemoryLayout<Value>.size)
        unsafe bytes.storeBytes(of: value.bigEndian, toByteOffset: used, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    @inline(__always)
    private mutating func reserve(_ count: Int) {
        guard unsafe used + count > bytes.count else { return }
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
