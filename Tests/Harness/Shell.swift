/// Runs a line of bash and gives what it prints; any other command's word on what heartbeat has done.
@discardableResult
package func shell(_ line: String) async throws -> String {
    let process = try ChildProcess(
        "shell",
        ChildProcess.Command(
            "/bin/bash", ["-o", "pipefail", "-c", line], environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"]),
        in: TestFolder.required())
    let end = try await process.waitForEnd(within: .seconds(120))
    // 1 is how grep and diff say that there is nothing, or something.
    guard end == .exited(0) || end == .exited(1), process.log.isEmpty else {
        throw HarnessError("\(line): \(end): \(process.log)")
    }
    return process.output
}
