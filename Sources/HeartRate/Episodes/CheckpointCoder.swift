/// Writes or reads the numbers of a checkpoint: one list of fields serves both ways.
///
/// Numbers are differences from something near, zigzag, seven bits a byte.
struct CheckpointCoder {
    let isReading: Bool
    private(set) var bytes: [UInt8]
    private var position = 0
    private var end = 0
    /// Whether something could not be read.
    private(set) var failed = false
    /// What times are relative to, in microseconds.
    var origin: Int64 = 0

    init(writingTo bytes: [UInt8]) {
        isReading = false
        self.bytes = bytes
    }

    init(reading bytes: [UInt8], from start: Int, to end: Int) {
        isReading = true
        self.bytes = bytes
        self.position = start
        self.end = end
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// What was written; leaves none.
    mutating func takeBytes() -> [UInt8] {
        let taken = bytes
        bytes = []
        return taken
    }

    /// Whether all has been read.
    var isAtEnd: Bool { position == end }

    mutating func code<Number: FixedWidthInteger>(_ number: inout Number, after previous: Number) {
        guard isReading else { return write(Int64(number) &- Int64(previous)) }
        let value = Int64(previous) &+ read()
        if let exact = Number(exactly: value) { number = exact } else { failed = true }
    }

    /// A number that comes after `previous` in a circle.
    mutating func codeWrapping(_ number: inout UInt16, after previous: UInt16) {
        var step = Int16(bitPattern: number &- previous)
        code(&step, after: 0)
        if isReading { number = previous &+ UInt16(bitPattern: step) }
    }

    mutating func code<Number: FixedWidthInteger>(_ number: inout Number, in range: ClosedRange<Number>) {
        code(&number, after: 0)
        if !range.contains(number) {
            failed = true
            number = range.lowerBound
        }
    }

    mutating func code(_ flag: inout Bool) {
        var number: UInt8 = flag ? 1 : 0
        code(&number, in: 0...1)
        flag = number == 1
    }

    mutating func code(_ severity: inout Severity) {
        var number = severity.rawValue
        code(&number, in: 0...2)
        severity = Severity(rawValue: number) ?? .low
    }

    /// A time in microseconds, near `origin`.
    mutating func codeTime(_ time: inout Int64) {
        var relative = time &- origin
        code(&relative, after: 0)
        if isReading { time = Instant(microsecondsSince1970: origin &+ relative).microsecondsSince1970 }
    }

    /// A time that may be `none`.
    mutating func codeOptionalTime(_ time: inout Int64, none: Int64) {
        var exists = time != none
        code(&exists)
        if exists { codeTime(&time) } else { time = none }
    }

    private mutating func write(_ number: Int64) {
        var rest = UInt64(bitPattern: number << 1) ^ UInt64(bitPattern: number >> 63)
        while rest > 127 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func read() -> Int64 {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            number |= UInt64(byte & 127) << shift
            if byte < 128 { return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1) }
            shift += 7
        }
        failed = true
        return 0
    }
}
