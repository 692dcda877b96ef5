/// The intervals of a window in which each reading is a beat, and its rate that of the interval before it.
///
/// An electrode or an optical sensor that misses beats makes intervals at multiples of their neighbours'. A heart that
/// is slow does not: all its intervals are long. Of one whose every second beat is blocked nobody can tell by the
/// intervals alone, so that pattern still is of medium severity.
struct BeatIntervals {
    /// How far apart intervals are that count as alike, in hundredths of the usual one. Breathing changes them by some 5 %.
    private static let likeness: Int32 = 9
    /// More than these in one are a pause.
    private static let mostMissed: Int32 = 6
    /// As many intervals, all alike, are the usual ones.
    private static let certain = 8

    /// In milliseconds, rising.
    private var intervals = InlineArray<32, Int32>(repeating: 0)
    private let count: Int
    /// The interval when nothing was missed, in milliseconds; 0 when it is not known.
    private(set) var usual: UInt16
    /// Whether some intervals are multiples of the usual one, and nearly all others are like it.
    private(set) var hasMisses = false
    /// Whether there are multiples of different numbers.
    private(set) var isCertain = false

    /// Takes rates in rising order, in the upper half of each number.
    init(_ sorted: InlineArray<32, Int32>, count: Int, usual: UInt16) {
        self.count = count
        self.usual = usual
        for index in 0..<count { intervals[index] = 60_000 / max(sorted[count - 1 - index] >> 16, 1) }
        let quarter = intervals[count / 4]
        var alike = 0
        for index in 0..<count where Self.isLike(intervals[index], quarter, usual: quarter) { alike += 1 }
        // Several beats missed in turn are alike, too; many in a row are not.
        let isMultiple = Self.beats(in: quarter, usual: Int32(usual)) > 1 && (alike < count || count < Self.certain)
        if alike >= 3, !isMultiple { self.usual = UInt16(clamping: quarter) }
        if self.usual > 0 { countMisses(Int32(self.usual)) }
    }

    /// Whether a reading's rate is that of the interval before it.
    @inline(__always)
    static func isBeat(_ rate: Int16, after milliseconds: Int64) -> Bool {
        abs(milliseconds * Int64(rate) - 60_000) <= 3000 + milliseconds + Int64(rate)
    }

    /// How many beats an interval is of; 0 when it is no multiple.
    static func beats(in interval: Int32, usual: Int32) -> Int32 {
        let number = (interval + usual / 2) / max(usual, 1)
        // A slow rate in whole bpm says less of its interval.
        let rounding = interval * interval / 120_000
        return isLike(max(abs(interval - number * usual) - rounding, 0), 0, usual: usual) ? number : 0
    }

    private static func isLike(_ one: Int32, _ other: Int32, usual: Int32) -> Bool {
        abs(one - other) * 100 <= likeness * usual
    }

    private mutating func countMisses(_ usual: Int32) {
        var (single, multiple, others, kinds): (Int, Int, Int, UInt8) = (0, 0, 0, 0)
        for index in 0..<count {
            let number = Self.beats(in: intervals[index], usual: usual)
            if number == 1 {
                single += 1
            } else if number == 0 {
                others += 1
            } else if number <= Self.mostMissed {
                kinds |= 1 << UInt8(number)
                multiple += 1
            }
        }
        guard multiple > 0, single > 0, others * 5 <= count else { return }
        isCertain = kinds & (kinds - 1) != 0
        // A heart whose every second beat is blocked now and then stays slow for longer.
        hasMisses = isCertain || kinds == 1 << 2 && single + 1 >= multiple
    }

    /// The median rate of the beats, those that were missed counted: that of the usual interval.
    var median: EighthsOfBPM { 480_000 / max(EighthsOfBPM(usual), 1) }
}
