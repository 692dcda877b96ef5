internal import Daemon

/// Hours of each day, by a zone's clock.
struct QuietHours: Sendable, Equatable {
    /// Minutes after midnight. When the end is not after the beginning it is on the next day.
    let begin: Int, end: Int
    /// As the system and PostgreSQL know it: `Europe/Berlin`.
    let zone: String

    /// Whether a minute of the day is within them; the end is not.
    func contains(_ minute: Int) -> Bool {
        begin < end ? (begin..<end).contains(minute) : minute >= begin || minute < end
    }
}

extension QuietHours {
    /// Reads `22:00-06:00@Europe/Berlin`.
    ///
    /// - Throws: what is wrong with it.
    init(_ text: Substring) throws(Malformed) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let times = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, times.count == 2, let begin = Self.minute(times[0]), let end = Self.minute(times[1]),
            begin != end
        else { throw Malformed("\(text): expected quiet hours and their zone, as 22:00-06:00@Europe/Berlin") }
        let zone = String(parts[1])
        guard Self.isZone(zone) else {
            throw Malformed("\(zone): expected a time zone that the system knows, as Europe/Berlin or UTC")
        }
        (self.begin, self.end, self.zone) = (begin, end, zone)
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isWholeNumber) }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60, hours < 24 || text == "24:00"
        else { return nil }
        return hours * 60 + minutes
    }

    /// PostgreSQL has the zones of the system, too: Debian's tzdata. Without it nobody can tell here.
    private static func isZone(_ name: String) -> Bool {
        let zones = "/usr/share/zoneinfo"
        let isName = name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0)) }
        }
        guard isName else { return false }
        guard (try? checkReadable(zones)) != nil else { return true }
        return (try? readWholeFile("\(zones)/\(name)"))?.starts(with: Array("TZif".utf8)) ?? false
    }
}
