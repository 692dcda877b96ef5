import Harness
import Testing

@testable import PostgreSQL

/// The bytes of the manual's "COPY", "Binary Format".
private let header: [UInt8] =
    [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]

extension CopyBuffer {
    /// Everything that is sent.
    fileprivate borrowing func sent(order: [Int] = []) -> [UInt8] {
        var all: [UInt8] = []
        _ = send(order: order) { piece in
            all += piece
            return true
        }
        return all
    }
}

@Suite("COPY's bytes") struct CopyBufferTests {
    @Test("no rows")
    func empty() {
        let buffer = CopyBuffer()
        #expect(buffer.isEmpty && buffer.rowCount == 0)
        #expect(buffer.sent() == header + [0xff, 0xff])
    }

    @Test("every type, as the manual has it")
    func types() {
        var buffer = CopyBuffer()
        buffer.beginRow(fields: 9)
        buffer.append(Int16(-2))
        buffer.append(Int32(258))
        buffer.append(Int64.min)
        buffer.append(true)
        buffer.append(false)
        buffer.append("ä")
        buffer.appendNull()
        buffer.append(RawSpan?.none)
        buffer.append(jsonb: "[]")
        let row: [UInt8] = [
            0, 9, 0, 0, 0, 2, 0xff, 0xfe, 0, 0, 0, 4, 0, 0, 1, 2, 0, 0, 0, 8, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
            0, 0, 0, 1, 0, 0, 0, 0, 2, 0xc3, 0xa4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3, 1, 0x5b,
            0x5d,
        ]
        #expect(buffer.sent() == header + row + [0xff, 0xff])
        #expect(buffer.rowCount == 1)
        #expect(buffer.byteCount == header.count + row.count)
    }

    @Test("an empty text is not NULL")
    func emptyText() {
        var buffer = CopyBuffer()
        buffer.beginRow(fields: 2)
        buffer.append("")
        buffer.append([UInt8]().span.bytes)
        #expect(buffer.sent() == header + [0, 2, 0, 0, 0, 0, 0, 0, 0, 0] + [0xff, 0xff])
    }

    @Test("it grows as far as it has to, and is the same afterwards")
    func growth() {
        var buffer = CopyBuffer(capacity: 1)
        var expected = header
        for row in 0..<5000 {
            buffer.beginRow(fields: 1)
            buffer.append(Int32(row))
            expected += [0, 1, 0, 0, 0, 4, 0, 0, UInt8(row >> 8), UInt8(row & 0xff)]
        }
        #expect(buffer.rowCount == 5000)
        #expect(buffer.sent() == expected + [0xff, 0xff])
    }

    @Test("it is sent in pieces, in any order, until somebody does not want more")
    func pieces() {
        var buffer = CopyBuffer()
        let text = String(repeating: "x", count: 1000)
        for row in 0..<300 {
            buffer.beginRow(fields: 2)
            buffer.append(Int16(row))
            buffer.append(text)
        }
        var pieces: [Int] = []
        #expect(
            buffer.send(order: []) { piece in
                pieces.append(piece.count)
                return true
            })
        #expect(pieces.count > 1 && pieces.allSatisfy { $0 < 70_000 })
        #expect(pieces.reduce(0, +) == buffer.byteCount + 2)
        let backwards = buffer.sent(order: Array((0..<300).reversed()))
        #expect(backwards.count == buffer.byteCount + 2)
        #expect(Array(backwards[header.count..<header.count + 8]) == [0, 2, 0, 0, 0, 2, 1, 43], "row 299 comes first")
        var count = 0
        #expect(
            !buffer.send(order: []) { _ in
                count += 1
                return count < 2
            })
        #expect(count == 2)
    }

    @Test("it is used again, and one outsized row does not keep its memory")
    func reuse() {
        var buffer = CopyBuffer()
        for _ in 0..<3 {
            buffer.beginRow(fields: 1)
            buffer.append([UInt8](repeating: 7, count: 3_000_000).span.bytes)
            #expect(buffer.byteCount > 3_000_000)
            buffer.removeAll(keepingAtMost: 1000)
            #expect(buffer.isEmpty && buffer.sent() == header + [0xff, 0xff])
            buffer.beginRow(fields: 1)
            buffer.append(true)
            #expect(buffer.sent() == header + [0, 1, 0, 0, 0, 1, 1] + [0xff, 0xff])
            buffer.removeAll()
        }
    }
}
