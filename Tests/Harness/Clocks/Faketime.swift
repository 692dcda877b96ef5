import Foundation

/// libfaketime: a clock for some processes, which is somewhere else. librdkafka does not start under it: for
/// its users there is `ProcessClock`.
package enum Faketime {
    /// The library, as Debian installs it.
    private static let library = ["x86_64", "aarch64"].lazy
        .map { (name: String) -> String in "/usr/lib/\(name)-linux-gnu/faketime/libfaketime.so.1" }
        .first { access($0, R_OK) == 0 }

    /// The environment of processes whose clocks are off by what a file says, also while they run.
    package static func settings(file: String) throws -> [String: String] {
        guard let library else { throw HarnessError("there is no libfaketime: apt install faketime") }
        return [
            "LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_TIMESTAMP_FILE": file,
            "FAKETIME_NO_CACHE": "1",
        ]
    }
}
