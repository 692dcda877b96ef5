/// The customers of a batch, numbered in the order in which they came first.
///
/// Ids stand one after another in one array of bytes with an open-addressed table of their numbers, about 30 bytes a
/// customer; looking an id up allocates nothing, and emptying it keeps the memory.
struct CustomerSet {
    private var bytes: [UInt8] = []
    private var ends: [Int32] = []  // of each number's id within the bytes
    private var table = [Int32](repeating: -1, count: 64)  // -1 is a free place

    /// How many customers there are.
    var count: Int { ends.count }

    mutating func removeAll() {
        guard count > 0 else { return }
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        for place in table.indices { table[place] = -1 }
    }

    /// The number of an id, which is the count before it when it is new.
    mutating func insert(_ id: Span<UInt8>) -> Int {
        var place = Self.hash(id) & (table.count - 1)
        while table[place] >= 0 {
            let number = Int(table[place])
            if isEqual(number, id) { return number }
            place = (place + 1) & (table.count - 1)
        }
        let number = count
        table[place] = Int32(number)
        for index in id.indices { bytes.append(id[index]) }
        ends.append(Int32(bytes.count))
        if count * 2 > table.count { grow() }
        return number
    }

    /// The number of an id; nil when it is not there.
    func number(of id: Span<UInt8>) -> Int? {
        var place = Self.hash(id) & (table.count - 1)
        while table[place] >= 0 {
            let number = Int(table[place])
            if isEqual(number, id) { return number }
            place = (place + 1) & (table.count - 1)
        }
        return nil
    }

    /// The UTF-8 of a number's id.
    func id(_ number: Int) -> ArraySlice<UInt8> {
        bytes[start(of: number)..<Int(ends[number])]
    }

    /// The numbers in the order of the ids, byte by byte, which is that of the database's indexes.
    func sorted() -> [Int] {
        let shared = sharedStart
        var keys = (0..<count).map { (bytes: eightBytes(of: $0, from: shared), number: Int32($0)) }
        keys.sort { one, other in
            guard one.bytes == other.bytes else { return one.bytes < other.bytes }
            return id(Int(one.number)).lexicographicallyPrecedes(id(Int(other.number)))
        }
        return keys.map { Int($0.number) }
    }

    /// How many bytes all ids have in common at their beginning.
    private var sharedStart: Int {
        guard count > 0 else { return 0 }
        var shared = id(0).count
        for number in 1..<count {
            let start = start(of: number)
            var same = 0
            let most = min(shared, Int(ends[number]) - start)
            while same < most, bytes[start + same] == bytes[same] { same += 1 }
            shared = same
        }
        return shared
    }

    /// Eight bytes of an id as a number that sorts as they do.
    private func eightBytes(of number: Int, from offset: Int) -> UInt64 {
        var value: UInt64 = 0
        let (start, end) = (start(of: number) + offset, Int(ends[number]))
        for place in start..<start + 8 { value = value << 8 | (place < end ? UInt64(bytes[place]) : 0) }
        return value
    }

    private func start(of number: Int) -> Int { number == 0 ? 0 : Int(ends[number - 1]) }

    private func isEqual(_ number: Int, _ id: Span<UInt8>) -> Bool {
        let start = start(of: number)
        guard Int(ends[number]) - start == id.count else { return false }
        for index in id.indices where bytes[start + index] != id[index] { return false }
        return true
    }

    private mutating func grow() {
        var larger = [Int32](repeating: -1, count: table.count * 2)
        for number in 0..<count {
            let start = start(of: number)
            var place = Self.hash(bytes.span.extracting(start..<Int(ends[number]))) & (larger.count - 1)
            while larger[place] >= 0 { place = (place + 1) & (larger.count - 1) }
            larger[place] = Int32(number)
        }
        table = larger
    }

    /// FNV-1a with 64 bits (Fowler, Noll, Vo), its upper half folded in.
    private static func hash(_ id: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in id.indices { hash = (hash ^ UInt64(id[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
