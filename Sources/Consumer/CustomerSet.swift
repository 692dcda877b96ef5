/// The ids of customers that the database is known to have, so that a batch only brings the new ones.
///
/// Ids stand one after another in one array of bytes with an open-addressed table of their starts, about 30 bytes a
/// customer; looking an id up allocates nothing.
struct CustomerSet {
    private var bytes: [UInt8] = []  // each id: its length, then its UTF-8
    private var starts: [Int32]  // -1 is a free place
    private(set) var count = 0
    private let mostCustomers: Int

    /// An empty set. Beyond so many customers it starts over, which costs the database some needless inserts.
    init(mostCustomers: Int = 500_000) {
        self.mostCustomers = mostCustomers
        starts = [Int32](repeating: -1, count: 64)
    }

    mutating func removeAll() { self = CustomerSet(mostCustomers: mostCustomers) }

    /// Adds an id.
    ///
    /// - Returns: a number that stands for the id until the set starts over, and whether it was new.
    mutating func insert(_ id: Span<UInt8>) -> (number: Int, isNew: Bool) {
        var place = Self.hash(id) & (starts.count - 1)
        while starts[place] >= 0 {
            if isEqual(at: Int(starts[place]), id) { return (Int(starts[place]), false) }
            place = (place + 1) & (starts.count - 1)
        }
        if count >= mostCustomers {
            removeAll()
            place = Self.hash(id) & (starts.count - 1)
        }
        let start = bytes.count
        starts[place] = Int32(start)
        bytes.append(UInt8(truncatingIfNeeded: id.count))
        for index in id.indices { bytes.append(id[index]) }
        count += 1
        if count * 2 > starts.count { grow() }
        return (start, true)
    }

    private func isEqual(at start: Int, _ id: Span<UInt8>) -> Bool {
        guard Int(bytes[start]) == id.count else { return false }
        for index in id.indices where bytes[start + 1 + index] != id[index] { return false }
        return true
    }

    private mutating func grow() {
        var larger = [Int32](repeating: -1, count: starts.count * 2)
        for start in starts where start >= 0 {
            let from = Int(start) + 1
            let id = bytes.span.extracting(from..<from + Int(bytes[Int(start)]))
            var place = Self.hash(id) & (larger.count - 1)
            while larger[place] >= 0 { place = (place + 1) & (larger.count - 1) }
            larger[place] = start
        }
        starts = larger
    }

    /// FNV-1a with 64 bits (Fowler, Noll, Vo), its upper half folded in.
    private static func hash(_ id: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in id.indices { hash = (hash ^ UInt64(id[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
