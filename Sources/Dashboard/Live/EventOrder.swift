/// Up to which number all events are there.
///
/// An event has its number before its transaction ends, so that one with a lower number can come to light later. Where the
/// numbers have a hole, it waits until every transaction has ended that had begun when the hole was seen: then the hole is
/// filled, or it stays one.
struct EventOrder: Sendable {
    /// All events up to here are there.
    private(set) var complete: Int64
    /// The last number that was seen behind a hole, and the transaction that began next after that.
    private var doubt: (last: Int64, next: Int64?)?

    init(after complete: Int64) { self.complete = complete }

    /// Takes over what was seen.
    ///
    /// - Parameters:
    ///   - oldest: the oldest transaction that had not ended before the numbers were read.
    ///   - next: the next one to begin at that time.
    ///   - numbers: those behind `complete` that were read, in their order.
    mutating func take(oldest: Int64, next: Int64, numbers: [Int64]) {
        if let (last, known) = doubt {
            let end = known ?? next
            doubt = oldest >= end ? nil : (last, end)
            if doubt == nil { complete = max(complete, last) }
        }
        for number in numbers where number == complete + 1 { complete = number }
        if doubt == nil, let last = numbers.last, last > complete { doubt = (last, nil) }
    }
}
