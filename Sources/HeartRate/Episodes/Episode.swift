/// What an episode is about.
public enum EpisodeKind: UInt8, CaseIterable, Hashable, Sendable {
    /// The heart beats too slowly.
    case bradycardia
    /// The heart beats too fast.
    case tachycardia
    /// The heart rate is far from the customer's own usual one.
    case deviation
    /// The heart rate at rest rises, within hours or from night to night.
    case trend
    /// No readings come.
    case signalLoss
    /// Readings come, of 0 bpm.
    case zeroRate
    /// Nobody wears the sensor, by how long it has had no heart rate.
    case notWorn
    /// The sensor repeats one rate.
    case sensorStuck
    /// Many readings are such that no heart can have.
    case poorSignal

    /// The name in the database's `episode_kind`.
    public var name: String {
        switch self {
        case .bradycardia: "bradycardia"
        case .tachycardia: "tachycardia"
        case .deviation: "deviation"
        case .trend: "trend"
        case .signalLoss: "signal loss"
        case .zeroRate: "0 bpm reported"
        case .notWorn: "not worn"
        case .sensorStuck: "sensor stuck"
        case .poorSignal: "poor signal"
        }
    }

    /// Whether it is about the sensor and not about the heart: a technical alarm condition, as IEC 60601-1-8 calls it.
    public var isTechnical: Bool {
        switch self {
        case .signalLoss, .zeroRate, .notWorn, .sensorStuck, .poorSignal: true
        default: false
        }
    }
}

/// The alarm priorities of IEC 60601-1-8: high asks for an immediate response, medium for a prompt one, low for awareness.
public enum Severity: UInt8, CaseIterable, Hashable, Comparable, Sendable {
    /// Awareness.
    case low
    /// Prompt response.
    case medium
    /// Immediate response.
    case high

    /// The name in the database's `episode_severity`.
    public var name: String {
        switch self {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        }
    }

    /// Whether `one` is less urgent.
    public static func < (one: Severity, other: Severity) -> Bool { one.rawValue < other.rawValue }
}

/// What has just happened to an episode.
public enum EpisodeChange: UInt8, CaseIterable, Hashable, Sendable {
    /// It is new.
    case opened
    /// Its severity rose.
    case escalated
    /// Its severity fell.
    case eased
    /// It has lasted at rest for so long that people are told of it, although its severity is not high.
    case sustained
    /// It is over.
    case closed

    /// The word in the database's `episode_changes`, in the journal and for the command.
    public var name: String {
        switch self {
        case .opened: "opened"
        case .escalated: "escalated"
        case .eased: "eased"
        case .sustained: "sustained"
        case .closed: "closed"
        }
    }
}

/// A change of an episode, and how the episode stands now.
struct EpisodeEvent {
    let episode: Episode
    let change: EpisodeChange
}

/// One episode of one customer as it stands: readings that together someone should look at.
///
/// All times are readings' own time stamps or follow from them.
public struct Episode: Hashable, Sendable {
    /// What it is about. A customer has at most one open episode of a kind.
    public var kind: EpisodeKind
    /// How urgent it is; of a closed one, how urgent it was last.
    public var severity: Severity
    /// How urgent it was at worst.
    public var worstSeverity: Severity
    /// When the rate went beyond the limit; of a signal loss, when the next reading was overdue.
    public var openedAt: Instant
    /// When that had lasted for the delay, not before `openedAt`.
    public var raisedAt: Instant
    /// The last reading beyond the limit; of a signal loss, the last reading before it.
    public var lastSeenAt: Instant
    /// When it was over, not before `openedAt`; nil while it is open.
    public var closedAt: Instant?
    /// The rate furthest beyond the limit, in bpm, as the median of some seconds; nil of a signal loss.
    public var extremeHeartRate: Int16?
    /// How many readings were beyond the limit; 0 of a signal loss.
    public var readings: Int32

    /// When what has just happened happened; nil when that follows from the other times, or nothing has.
    var changedAt: Instant?
    /// Whether the rate was beyond a limit of rest for long: then people are told at medium severity, too.
    public var isAtRest = false

    /// What `reason` says besides.
    var evidence: Evidence

    enum Evidence: Hashable, Sendable {
        /// The rate beyond the limit that was nearest to it; the limit of opening, and of high severity if reached.
        case limit(nearest: Int16, limit: Int16, highLimit: Int16?)
        /// How many pauses between two beats there were, and the longest in milliseconds.
        case pauses(count: UInt16, longest: UInt16)
        /// The customer's usual rate at rest, or that of the nights.
        case trend(usual: Int16, ofNights: Bool)
        /// The customer's usual rate.
        case usual(Int16)
        /// The customer's usual step between readings, and how long without one is too long, in milliseconds.
        case period(usual: Int64, limit: Int64)
        /// Readings of 0 bpm.
        case zeros
        /// The rate that is always the same.
        case stuck(Int16)
        /// How many readings were good when it was raised.
        case implausible(good: Int32)
        /// The two rates that the readings have in turns, the lower one first.
        case turns(Int16, Int16)
    }
}

extension Episode {
    /// The severity at which people are told of it: high, or medium of what has lasted for long; nil when they are not.
    public var toldSeverity: Severity? {
        if severity == .high { return .high }
        return severity == .medium && (isAtRest || kind == .trend) ? .medium : nil
    }

    /// When a change of it happened, by the readings' time stamps.
    public func time(of change: EpisodeChange) -> Instant {
        switch change {
        case .opened: raisedAt
        case .closed: closedAt ?? lastSeenAt
        case .escalated, .eased, .sustained: changedAt ?? lastSeenAt
        }
    }

    /// Why, in a sentence of at most 100 ASCII characters without quotes and backslashes.
    ///
    /// `bpm 31 to 38 for 94 s, limit 40` or `+38 over the usual 62 for 31 min` or
    /// `no reading for 12 s, usually one every 1.0 s`. The same for the same state, whenever it is asked.
    public var reason: String {
        let lasted = lastSeenAt.microsecondsSince1970 - openedAt.microsecondsSince1970
        switch evidence {
        case .limit(let nearest, let limit, let highLimit):
            let extreme = extremeHeartRate ?? nearest
            let low = min(extreme, nearest)
            let high = max(extreme, nearest)
            let range = low == high ? "\(low)" : "\(low) to \(high)"
            let worst = highLimit.map { $0 == limit ? "" : ", at worst \(extreme < limit ? "below" : "above") \($0)" }
            let rest = isAtRest ? " at rest" : ""
            return "bpm \(range)\(rest) for \(Self.text(microseconds: lasted)), limit \(limit)\(worst ?? "")"
        case .pauses(let count, let longest):
            let pause = Self.text(tenths: Int64(longest) / 100)
            if count == 1 { return "a pause of \(pause) between two beats" }
            return "\(count) pauses between two beats in \(Self.text(microseconds: lasted)), the longest \(pause)"
        case .trend(let usual, let ofNights):
            let rise = (extremeHeartRate ?? usual) - usual
            return ofNights
                ? "the resting rate of the nights is +\(rise) over the usual \(usual)"
                : "the rate at rest has risen within hours, +\(rise) over the usual \(usual)"
        case .usual(let usual):
            let difference = (extremeHeartRate ?? usual) - usual
            let side = difference < 0 ? "\(difference) below" : "+\(difference) over"
            return "\(side) the usual \(usual) for \(max(lasted, 0) / 60_000_000) min"
        case .period(let period, let limit):
            let step = period < 60_000 ? Self.text(tenths: period / 100) : Self.text(microseconds: period * 1000)
            // While it is open, how long it has lasted is a matter of our clock, which no episode depends on.
            guard closedAt != nil else {
                return "no reading for more than \(Self.text(microseconds: limit * 1000)), usually one every \(step)"
            }
            return "no reading for \(Self.text(microseconds: wait)), usually one every \(step)"
        case .zeros:
            let limit = openedAt.microsecondsSince1970 - lastSeenAt.microsecondsSince1970
            return closedAt == nil
                ? "0 bpm reported for more than \(Self.text(microseconds: limit))"
                : "0 bpm reported for \(Self.text(microseconds: wait))"
        case .stuck(let rate):
            return "always \(rate) bpm for \(Self.text(microseconds: lasted)), in \(readings) readings"
        case .implausible(let good):
            return "\(readings) readings that no heart can have, at first among \(good) good ones"
        case .turns(let low, let high):
            return "\(low) and \(high) bpm in turns, \(readings) jumps: perhaps two sensors"
        }
    }

    /// From the last reading to the end.
    private var wait: Int64 { (closedAt ?? lastSeenAt).microsecondsSince1970 - lastSeenAt.microsecondsSince1970 }

    /// Whole seconds below ten minutes, minutes below three hours, else hours.
    private static func text(microseconds: Int64) -> String {
        let seconds = max(microseconds, 0) / 1_000_000
        if seconds < 600 { return "\(seconds) s" }
        return seconds < 10_800 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
    }

    /// Tenths of seconds as seconds with one decimal.
    private static func text(tenths: Int64) -> String { "\(tenths / 10).\(tenths % 10) s" }
}
