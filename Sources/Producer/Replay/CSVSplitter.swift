/// The fields of a line, without quotation marks.
struct CSVFields: ~Escapable {
    private let bytes: Span<UInt8>
    private let places: Span<Range<Int>>

    @_lifetime(copy bytes, copy places)
    fileprivate init(_ bytes: Span<UInt8>, _ places: Span<Range<Int>>) {
        self.bytes = bytes
        self.places = places
    }

    var count: Int { places.count }

    subscript(field: Int) -> Span<UInt8> {
        @_lifetime(copy self)
        get { bytes.extracting(places[field]) }
    }
}

/// Splits lines of CSV as RFC 4180 has it into fields, with or without quotation marks. No field goes over several lines.
struct CSVSplitter: ~Copyable {
    /// Where the fields of the line are.
    private var fields: [Range<Int>] = []
    /// A line with quotation marks, without them.
    private var unquoted: [UInt8] = []

    /// Splits a line; its fields are lent until the next call.
    @_lifetime(&self, copy line)
    mutating func split(_ line: Span<UInt8>) throws(RowProblem) -> CSVFields {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        for index in line.indices {
            if line[index] == UInt8(ascii: "\"") {
                try unquote(line)
                return CSVFields(unquoted.span, fields.span)
            }
            guard line[index] == UInt8(ascii: ",") else { continue }
            fields.append(start..<index)
            start = index + 1
        }
        fields.append(start..<line.count)
        return CSVFields(line, fields.span)
    }

    private mutating func unquote(_ line: Span<UInt8>) throws(RowProblem) {
        fields.removeAll(keepingCapacity: true)
        unquoted.removeAll(keepingCapacity: true)
        var place = 0
        while true {
            let start = unquoted.count
            let isQuoted = place < line.count && line[place] == UInt8(ascii: "\"")
            if isQuoted { place += 1 }
            while place < line.count {
                let byte = line[place]
                if byte == UInt8(ascii: "\"") {
                    guard isQuoted else { throw .quotes }
                    // Two stand for one.
                    guard place + 1 < line.count, line[place + 1] == byte else { break }
                    place += 1
                } else if byte == UInt8(ascii: ","), !isQuoted {
                    break
                }
                unquoted.append(byte)
                place += 1
            }
            if isQuoted {
                guard place < line.count else { throw .quotes }
                place += 1
            }
            fields.append(start..<unquoted.count)
            guard place < line.count else { return }
            guard line[place] == UInt8(ascii: ",") else { throw .quotes }
            place += 1
        }
    }
}
