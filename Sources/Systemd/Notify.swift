internal import CLibSystemd
internal import Glibc

/// What to tell the service manager, in the terms of sd_notify(3).
public enum ServiceState: Sendable, Equatable {
    /// The start, or a reload, is finished.
    case ready
    /// A reload begins. `.ready` has to follow.
    case reloading
    /// The process is about to end.
    case stopping
    /// A sentence for `systemctl status`; control characters in it become spaces.
    case status(String)
    /// The work goes on.
    case watchdog

    var assignments: String {
        switch self {
        case .ready: "READY=1"
        // Without the time the manager cannot tell this reload's READY=1 from an earlier one.
        case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())"
        case .stopping: "STOPPING=1"
        // A line end would begin another assignment.
        case .status(let text): "STATUS=" + String(String.UnicodeScalarView(text.unicodeScalars.map(spaceIfControl)))
        case .watchdog: "WATCHDOG=1"
        }
    }
}

/// Tells the service manager that started this process, if it did and listens (`NOTIFY_SOCKET`): `Systemd.notify(.ready)`.
///
/// - Returns: whether it was told; several states arrive together. False when nobody listens, which is no error.
@discardableResult
public func notify(_ states: ServiceState...) -> Bool {
    // 0: the environment stays as it is, so that later calls find the socket, too.
    unsafe sd_notify(0, states.map(\.assignments).joined(separator: "\n")) > 0
}

/// The service manager's watchdog (`WatchdogSec=`).
public enum Watchdog {
    /// Within what time it wants to hear `.watchdog`; nil when it does not. Half of it is a good pace.
    public static var interval: Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }
}

private func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    // It can fail only for a clock that does not exist.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

private func spaceIfControl(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    scalar.properties.generalCategory == .control ? " " : scalar
}
