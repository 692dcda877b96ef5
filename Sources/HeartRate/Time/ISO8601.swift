import Bytes

extension Instant {
    /// The moment of a message's `timestamp`; nil when the text is none that a message may have.
    public init?(iso8601 text: Span<UInt8>) {
        guard let instant = ISO8601.parse(text) else { return nil }
        self = instant
    }

    /// The text of a message's `timestamp`: in UTC, six digits, `2026-02-19T15:53:03.123456+00:00`.
    public var iso8601: String { String(bytes: ISO8601Text(self).utf8) }

    /// Appends the 32 bytes of `iso8601`.
    fileprivate func write(to writer: inout ByteWriter) {
        let day = daysSince1970
        let time = Int(microsecondsSince1970 - day * Self.microsecondsPerDay)
        let date = CivilDate(daysSince1970: Int(day))
        let (seconds, microseconds) = time.quotientAndRemainder(dividingBy: 1_000_000)
        writer.append(date.year, width: 4)
        writer.append(.init(ascii: "-"))
        writer.append(date.month, width: 2)
        writer.append(.init(ascii: "-"))
        writer.append(date.day, width: 2)
        writer.append(.init(ascii: "T"))
        writer.append(seconds / 3600, width: 2)
        writer.append(.init(ascii: ":"))
        writer.append(seconds / 60 % 60, width: 2)
        writer.append(.init(ascii: ":"))
        writer.append(seconds % 60, width: 2)
        writer.append(.init(ascii: "."))
        writer.append(microseconds, width: 6)
        writer.append("+00:00")
    }
}

extension Instant: CustomStringConvertible {
    /// Same as `iso8601`.
    public var description: String { iso8601 }
}

/// The 32 bytes of an `Instant`'s `iso8601`, inside the value: allocates nothing.
public struct ISO8601Text: Sendable {
    private var bytes = InlineArray<32, UInt8>(repeating: 0)

    /// The text of a moment.
    public init(_ instant: Instant) {
        var writer = ByteWriter(bytes.mutableSpan)
        instant.write(to: &writer)
    }

    /// `2026-02-19T15:53:03.123456+00:00`.
    public var utf8: Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span }
    }
}

/// Reads a message's `timestamp`: `YYYY-MM-DD`, one of `T`, `t` and a space, `HH:MM`, optionally `:SS`, after that optionally
/// `.` and one to nine digits, then `Z`, `z` or an offset `+HH:MM`, `+HHMM` or `+HH`, east or west.
///
/// That is RFC 3339 with the shorter forms that ISO 8601 allows and that senders use (Java leaves out seconds that are
/// zero), with the bounds that PostgreSQL sets: years 0001 to 9999, offsets of at most 15:59. Second 60 is refused, since a
/// leap second has no place in either's count of seconds. Digits after the sixth are cut off, not rounded, so that a
/// moment never moves into the next second.
private enum ISO8601 {
    /// Nil when `text` is no such timestamp, or lies outside the years 0001 to 9999 in UTC.
    static func parse(_ text: Span<UInt8>) -> Instant? {
        // The shortest is 2026-02-19T15:53Z, the longest 2026-02-19T15:53:03.123456789+00:00.
        guard (17...35).contains(text.count), let day = day(text), let (time, timeEnd) = timeOfDay(text),
            let (microseconds, end) = fraction(text, from: timeEnd), let offset = offset(text, from: end)
        else { return nil }
        let utc = Int64(day * 86_400 + time - offset) * 1_000_000 + Int64(microseconds)
        let instant = Instant(microsecondsSince1970: utc)
        // An offset can move the first and the last hours of the calendar out of it.
        return instant.microsecondsSince1970 == utc ? instant : nil
    }

    /// Days from 1970-01-01 to the date in bytes 0 to 9.
    @inline(__always)
    private static func day(_ text: Span<UInt8>) -> Int? {
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), let century = twoDigits(text, at: 0),
            let year = twoDigits(text, at: 2), let month = twoDigits(text, at: 5), let day = twoDigits(text, at: 8)
        else { return nil }
        return CivilDate(year: century * 100 + year, month: month, day: day)?.daysSince1970
    }

    /// Seconds from midnight to the time that begins in byte 11, and where it ends; byte 10 separates it from the date.
    @inline(__always)
    private static func timeOfDay(_ text: Span<UInt8>) -> (seconds: Int, end: Int)? {
        let separator = text[10]
        guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: "t") || separator == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), let hour = twoDigits(text, at: 11), let minute = twoDigits(text, at: 14),
            hour <= 23, minute <= 59
        else { return nil }
        let minutes = hour * 3600 + minute * 60
        guard text[16] == UInt8(ascii: ":") else { return (minutes, 16) }
        guard text.count > 19, let second = twoDigits(text, at: 17), second <= 59 else { return nil }
        return (minutes + second, 19)
    }

    /// Microseconds after the seconds, and where they end: 0 when there are none.
    @inline(__always)
    private static func fraction(_ text: Span<UInt8>, from start: Int) -> (microseconds: Int, end: Int)? {
        guard start == 19, text[start] == UInt8(ascii: ".") else { return (0, start) }
        var (microseconds, digits, place) = (0, 0, start + 1)
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            if digits < 6 { microseconds = microseconds * 10 + Int(digit) }
            digits += 1
            place += 1
        }
        guard (1...9).contains(digits) else { return nil }
        for _ in 0..<max(6 - digits, 0) { microseconds *= 10 }
        return (microseconds, place)
    }

    /// Seconds east of Greenwich, of the offset that all the rest has to be.
    @inline(__always)
    private static func offset(_ text: Span<UInt8>, from start: Int) -> Int? {
        let length = text.count - start
        guard length > 0 else { return nil }
        let sign = text[start]
        if length == 1 { return sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), length >= 3,
            let hours = twoDigits(text, at: start + 1), hours <= 15
        else { return nil }
        var minutes: Int? = 0
        switch length {
        case 3: break
        case 5: minutes = twoDigits(text, at: start + 3)
        case 6 where text[start + 3] == UInt8(ascii: ":"): minutes = twoDigits(text, at: start + 4)
        default: return nil
        }
        guard let minutes, minutes <= 59 else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    @inline(__always)
    private static func twoDigits(_ text: Span<UInt8>, at index: Int) -> Int? {
        let tens = text[index] &- UInt8(ascii: "0")
        let ones = text[index + 1] &- UInt8(ascii: "0")
        return tens <= 9 && ones <= 9 ? Int(tens) * 10 + Int(ones) : nil
    }
}
