import Daemon
import Foundation
import Testing
import SharedSettings

/// Settings that systemd hands to a unit by `LoadCredential=secrets:...`.
@Suite struct CredentialTests {
    private let file = TemporaryFile("BATCH_ROWS=1\nHEART_RATE_MAX=150\nHEART_RATE_MIN=50\n")
    private var environment: [String: String] { ["CREDENTIALS_DIRECTORY": file.folder.path] }

    private func writeSecrets(_ text: String) throws {
        try text.write(to: file.folder.appending(path: "secrets"), atomically: true, encoding: .utf8)
    }

    @Test("they are over the file and below the environment")
    func over() throws {
        try writeSecrets("POSTGRES_PASSWORD=hunter2\nHEART_RATE_MAX=160\nHEART_RATE_MIN=60\n")
        let settings = try file.settings(environment: environment.merging(["HEART_RATE_MIN": "70"]) { $1 })
        #expect(settings[.postgresPassword] == "hunter2")
        #expect(settings[.heartRateMax] == 160)
        #expect(settings.origin(of: .heartRateMax) == .file(path: "\(file.folder.path)/secrets", line: 2))
        #expect(settings[.heartRateMin] == 70)
        #expect(settings[.batchRows] == 1)
    }

    @Test("there need not be any")
    func need() throws {
        #expect(try file.settings(environment: environment)[.batchRows] == 1)
        // What the unit has instead of a file that is absent.
        try writeSecrets("#")
        #expect(try file.settings(environment: environment)[.batchRows] == 1)
    }

    @Test("a mistake in them is an error like any other")
    func other() throws {
        try writeSecrets("POSTGRES_PASWORD=hunter2\nBATCH_ROWS=x\n")
        let path = "\(file.folder.path)/secrets"
        #expect(
            throws: SettingsError([
                "\(path):1: POSTGRES_PASWORD=********: unknown setting, did you mean POSTGRES_PASSWORD?",
                "\(path):2: BATCH_ROWS=x: expected an integer from 1 to 100000 (rows)",
            ])
        ) { try file.settings(environment: environment) }
    }

    @Test("a mistake in the file is told once")
    func once() throws {
        file.write("BATCH_ROWS=x\n")
        try writeSecrets("POSTGRES_PASSWORD=hunter2\n")
        #expect(throws: SettingsError(["FILE:1: BATCH_ROWS=x: expected an integer from 1 to 100000 (rows)"])) {
            try file.settings(environment: environment)
        }
    }
}
