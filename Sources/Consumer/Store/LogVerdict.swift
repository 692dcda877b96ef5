import Kafka
import PostgreSQL

/// What became of a log that the database has read before.
enum LogVerdict: Equatable {
    /// It is the same.
    case same(next: Int64)
    /// It is the same, but these were deleted before they were read.
    case deleted(Range<Int64>)
    /// It is the same up to here; what is stored beyond is no longer in Kafka.
    case endLost(from: Int64)
    /// It is another log, which starts here.
    case another(low: Int64)

    /// - Parameter comparison: which offsets were compared, and the first one at which log and database differ or where the
    ///   one or the other ends; nil when there is nothing to compare.
    init(_ history: LogHistory, _ log: Watermarks, comparison: (offsets: Range<Int64>, parting: Int64)?) {
        let next = history.offsets.upperBound
        guard let (offsets, parting) = comparison else {
            if log.low < history.first {
                // A log's start never goes back.
                self = .another(low: log.low)
            } else if next < log.low {
                self = .deleted(next..<log.low)
            } else {
                self = next <= log.high ? .same(next: next) : .another(low: log.low)
            }
            return
        }
        if parting == next {
            self = .same(next: next)
        } else if parting == offsets.lowerBound {
            self = .another(low: log.low)
        } else {
            self = .endLost(from: parting)
        }
    }

    /// Where reading goes on.
    var next: Int64 {
        switch self {
        case .same(let next): next
        case .deleted(let offsets): offsets.upperBound
        case .endLost(let start): start
        case .another(let low): low
        }
    }
}

/// The first offset at which two logs differ that are the same before it; the upper bound when they are the same.
///
/// Asks first for the beginning, where another log differs at once; else about as often as the range has binary digits.
func partingPoint(
    in range: Range<Int64>, isSame: (Int64) throws -> Bool
) rethrows -> Int64 {
    guard try !range.isEmpty && isSame(range.lowerBound) else { return range.lowerBound }
    var (low, high) = (range.lowerBound + 1, range.upperBound)
    while low < high {
        let middle = low + (high - low) / 2
        if try isSame(middle) { low = middle + 1 } else { high = middle }
    }
    return low
}

extension ReadingStore {
    /// Keeps what became of a log.
    ///
    /// - Parameter last: the last message before the lost end.
    /// - Returns: false when somebody has moved it on meanwhile.
    func record(
        _ verdict: LogVerdict, _ history: LogHistory, lost: Int64, last: Landmark?
    ) throws(PostgreSQLError) -> Bool {
        switch verdict {
        case .same: true
        case .deleted(let offsets): try recordDeletion(history.sourceID, offsets)
        case .endLost(let start):
            try addIncarnation(after: history, from: start, continued: history.sourceID, lost: lost, last: last)
        case .another(let low): try addIncarnation(after: history, from: low, continued: nil, lost: 0, last: nil)
        }
    }
}
