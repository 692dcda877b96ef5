import Harness
import Testing

extension OnAServer {
    @Suite("Standard output", .ownFolder) struct Outputs {
        @Test(
            "that cannot be written ends every command with status 74",
            arguments: [
                "verify", "rejected list", "consumer --print-config", "consumer --print-default-config",
                "database status --json", "--version", "--help",
            ])
        func full(command: String) async throws {
            let database = try await TestDatabase.make()
            let settings = database.settings(as: "postgres").map { "\($0)='\($1)'" }.joined(separator: " ")
            let heartbeat = "env \(settings) '\(Heartbeat.path)' \(command)"
            #expect(try await shell("\(heartbeat) 2>&1 > /dev/null; echo $?") == "0\n")
            let complaint = try await shell("\(heartbeat) 2>&1 > /dev/full; echo $?")
            #expect(complaint.hasPrefix("heartbeat: unable to write to standard output: "))
            #expect(complaint.hasSuffix("\n74\n") && complaint.count { $0 == "\n" } == 2)
        }
    }
}
