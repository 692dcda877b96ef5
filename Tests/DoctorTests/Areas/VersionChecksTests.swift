import Testing

@testable import Doctor

@Suite("What is said of versions") struct VersionChecksTests {
    private static func faults(_ change: (inout VersionChecks.Versions) -> Void) -> [String] {
        var versions = VersionChecks.Versions(systemd: 252, librdkafka: "2.0.2", libpq: 15)
        change(&versions)
        return VersionChecks(versions).checks.filter { $0.verdict >= .warning }.map(\.name)
    }

    @Test("those of Debian 12 and 13 are known to work, older ones are not")
    func versions() {
        #expect(Self.faults { _ in } == [])
        #expect(Self.faults { $0 = .init(systemd: 257, librdkafka: "2.8.0", libpq: 17) } == [])
        #expect(Self.faults { $0.systemd = 251 } == ["versions.systemd"])
        #expect(Self.faults { $0.systemd = nil } == [])
        #expect(Self.faults { $0.librdkafka = "1.9.2" } == ["versions.librdkafka"])
        #expect(Self.faults { $0.libpq = 14 } == ["versions.libpq"])
    }

    @Test("a daemon of another version has to be started again")
    func others() {
        #expect(Self.faults { $0.others = ["consumer": "0.0.9"] } == ["versions.heartbeat"])
    }

    @Test("SCRAM needs a newer librdkafka than Debian 12 has")
    func scram() {
        #expect(Self.faults { $0.mechanism = "SCRAM-SHA-512" } == ["versions.librdkafka"])
        #expect(Self.faults { ($0.mechanism, $0.librdkafka) = ("SCRAM-SHA-512", "2.8.0") } == [])
        #expect(Self.faults { $0.mechanism = "PLAIN" } == [])
    }
}
