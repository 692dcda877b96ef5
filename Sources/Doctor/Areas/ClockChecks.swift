import FoundationEssentials

/// Whether something keeps this machine's clock right.
struct ClockChecks {
    /// What systemd knows of the clock.
    struct Clock: Equatable {
        /// Whether this is a container, whose clock is its host's.
        var isContainer = false
        /// Whether the kernel takes the clock for synchronised; nil without an answer.
        var isSynchronised: Bool?
    }

    private let clock: Clock

    init(_ clock: Clock) { self.clock = clock }

    /// Asks systemd, whose answer is the kernel's, whatever program keeps the time.
    init() {
        let isContainer = Program("systemd-detect-virt", "--quiet", "--container").run()?.isSuccess ?? false
        let answer = Program("timedatectl", "show", "--property=NTPSynchronized", "--value").run()
        let word = answer.flatMap { $0.isSuccess ? $0.output.split(separator: "\n").first : nil }
        self.init(Clock(isContainer: isContainer, isSynchronised: word.map { $0 == "yes" }))
    }

    var checks: [Check] {
        let name = "clock.synchronised"
        if clock.isContainer { return [.skipped(name, "a container has the clock of its host")] }
        switch clock.isSynchronised {
        case nil: return [.skipped(name, "timedatectl does not answer")]
        case true?: return [.ok(name, "yes")]
        case false?:
            return [
                .warning(
                    name, "nothing keeps this clock right: readings may be rejected as being from the future",
                    remedy: "apt install systemd-timesyncd (or chrony), and let it reach a time server")
            ]
        }
    }
}
