import HeartRate

/// Readings that are kept back to be sent late: a binary heap, the next one to be sent at its top.
struct LateReadings {
    /// One reading; 32 bytes.
    struct Entry: Equatable {
        /// When to send it, in nanoseconds since the start.
        var due: Int64
        /// When the sensor took it, in nanoseconds since the start.
        var recorded: Int64
        /// Whose it is, from 0.
        var customer: Int
        /// Beats per minute.
        var bpm: Int16
        /// What the customer was doing, if that is told.
        var activity: Activity?
    }

    /// The most that are kept, which takes 32 MB; what is late beyond that is sent at once.
    static let most = 1_000_000

    private var heap: [Entry] = []

    /// Whether no other can be kept.
    var isFull: Bool { heap.count >= Self.most }

    /// When the next one is to be sent, in nanoseconds since the start; `Int64.max` when there is none.
    var due: Int64 { heap.first?.due ?? .max }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Entry? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].due < heap[smallest].due {
                smallest = child
            }
            guard smallest != parent else { return first }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
