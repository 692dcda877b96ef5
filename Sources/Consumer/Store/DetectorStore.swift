import HeartRate
import PostgreSQL

extension ReadingStore {
    /// The detectors of customers, in the same order; new ones for those of whom nothing is stored.
    ///
    /// - Parameter ids: as the text of an array.
    func detectors(of ids: String) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT c.id, s.detector, l.heart_rate_min, l.heart_rate_max
              FROM unnest($1::text[]) WITH ORDINALITY AS c (id, place)
              LEFT JOIN customer_state s ON s.customer_id = c.id
              LEFT JOIN customer_limits l ON l.customer_id = c.id
             ORDER BY c.place
            """, [ids], unableTo: "read the detectors of customers")
        return stored(rows)
    }

    /// The detectors of those who had readings in these sources within the last hour, those seen last first: somebody who
    /// falls silent while nobody looks has to be missed, too.
    func recentDetectors(sources: [Int32], most: Int) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT s.customer_id, s.detector, l.heart_rate_min, l.heart_rate_max
              FROM customer_state s LEFT JOIN customer_limits l USING (customer_id)
             WHERE s.source_id = ANY ($1::integer[]) AND s.detector IS NOT NULL
               AND s.stored_at > now() - interval '1 hour'
             ORDER BY s.stored_at DESC LIMIT $2::integer
            """,
            ["{" + sources.map { String($0) }.joined(separator: ",") + "}", String(most)],
            unableTo: "read the detectors of recent customers")
        return stored(rows)
    }

    private func stored(_ rows: borrowing PostgreSQLResult) -> [StoredDetector] {
        var stored: [StoredDetector] = []
        stored.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            let state = rows[row, 1]
            let detector = state.flatMap(bytes(hexadecimal:)).flatMap { Detector(checkpoint: $0) }
            stored.append(
                StoredDetector(
                    id: rows[row, 0] ?? "",
                    detector: detector ?? Detector(),
                    limits: CustomerLimits(
                        heartRateMin: rows.integer(row, 2).map { Int16($0) },
                        heartRateMax: rows.integer(row, 3).map { Int16($0) }),
                    isUnreadable: state != nil && detector == nil))
        }
        return stored
    }
}

/// The bytes of a `bytea` in its text form, `\x0a1b`; nil when it is not of this form.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.dropFirst(2)
    guard text.hasPrefix("\\x"), digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
        default: return nil
        }
        if let first = high {
            bytes.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return bytes
}

extension Checkpoints {
    /// As an SQL literal of a `bytea[]`.
    var literal: String {
        var text: [UInt8] = Array("'{".utf8)
        text.reserveCapacity(bytes.count * 2 + ends.count * 6 + 4)
        var start = 0
        for end in ends {
            if start > 0 { text.append(UInt8(ascii: ",")) }
            text += "\"\\\\x".utf8
            for byte in bytes[start..<end] {
                text.append(Self.digits[Int(byte >> 4)])
                text.append(Self.digits[Int(byte & 15)])
            }
            text.append(UInt8(ascii: "\""))
            start = end
        }
        text += "}'".utf8
        return String(decoding: text, as: UTF8.self)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
