import Harness
import Testing

/// Arrows point down only: the executable, the parts, Daemon and HeartRate, the wrappers, C.
@Suite("Imports", .ownFolder) struct ImportTests {
    /// Each wrapper and the C library that is its own.
    private static let wrappers = [
        "Crypt": "CLibCrypt", "Curl": "CLibCurl", "Digest": "CLibCrypto", "Kafka": "CLibRdKafka",
        "PostgreSQL": "CLibPQ",
        "Systemd": "CLibSystemd", "Zlib": "CLibZ",
    ]
    private static let parts: Set = ["Producer", "Gateway", "Consumer", "Dashboard", "Notifier", "Database"]
    /// What looks at all parts from above.
    private static let above: Set = ["Doctor", "heartbeat"]
    /// What belongs to Swift itself.
    private static let swift: Set = ["FoundationEssentials", "Synchronization", "Dispatch"]
    private static let cModules: Set = [
        "CLibCrypt", "CLibCrypto", "CLibCurl", "CLibRdKafka", "CLibPQ", "CLibSystemd", "CLibZ", "CSimdJSON", "Glibc",
    ]

    /// Why each of these files touches C or is unsafe, although it is in no wrapper.
    private static let exceptions = [
        "Sources/Daemon/System/Monitor.swift":
            "pthread's condition variables, which the standard library does not have",
        "Sources/Daemon/Service/SignalPipe.swift": "signal handlers",
        "Sources/Daemon/Service/Signals.swift": "the signals' numbers",
        "Sources/Daemon/System/System.swift": "files, threads and the clock",
        "Sources/Daemon/System/Terminal.swift": "what standard output is",
        "Sources/Daemon/System/StandardOutput.swift": "the C library's buffer of standard output",
        "Sources/Producer/Replay/RecordedFile.swift": "pipes, and the temporary file that a pipe is copied to",
        "Sources/Bytes/Bytes.swift": "bytes of a span as they are, without a copy",
        "Sources/HeartRate/Message/CustomerID.swift": "hashing bytes in place",
        "Sources/HeartRate/Message/MessageParser.swift": "simdjson's only user",
        "Sources/LocalServers/SystemUser.swift": "the system's users",
        "Sources/HTTPService/ConnectionHandler.swift": "a socket's option whose value is a C structure",
        "Sources/heartbeat/Local/LocalSystem.swift": "folders, ports and exec for the demo and the benchmark",
    ]

    @Test("wrappers import their C library and no other target")
    func wrappers() async throws {
        for source in try await Checkout.sources() {
            guard let library = Self.wrappers[source.target] else { continue }
            let allowed = Self.swift.union([library, "Glibc"])
            #expect(Set(source.imports).isSubset(of: allowed), "\(source.path)")
        }
    }

    @Test("the domain imports its parser and nothing that does I/O")
    func domain() async throws {
        for source in try await Checkout.sources() where source.target == "HeartRate" {
            #expect(Set(source.imports).isSubset(of: ["Bytes", "CSimdJSON"]), "\(source.path)")
        }
    }

    @Test("bytes import nothing, and simulated hearts nothing but the domain")
    func belowAndBeside() async throws {
        for source in try await Checkout.sources() {
            if source.target == "Bytes" { #expect(source.imports.isEmpty, "\(source.path)") }
            guard source.target == "Simulation" else { continue }
            #expect(Set(source.imports).isSubset(of: ["Bytes", "HeartRate"]), "\(source.path)")
        }
    }

    @Test("only the producer and the executable import simulated hearts")
    func simulation() async throws {
        for source in try await Checkout.sources() where source.imports.contains("Simulation") {
            #expect(["Producer", "heartbeat"].contains(source.target), "\(source.path)")
        }
    }

    @Test("Daemon imports neither Kafka nor the domain nor a part")
    func daemon() async throws {
        let allowed = Self.swift.union(["Bytes", "Systemd", "ArgumentParser", "Logging", "Glibc"])
        for source in try await Checkout.sources() where source.target == "Daemon" {
            #expect(Set(source.imports).isSubset(of: allowed), "\(source.path)")
        }
    }

    @Test("what parts share imports no part and no domain")
    func shared() async throws {
        let allowed = [
            "SharedSettings": Set(["Daemon"]),
            // Hummingbird and what it stands on.
            "HTTPService": [
                "Daemon", "Zlib", "Hummingbird", "HummingbirdCore", "HTTPTypes", "Logging", "NIOCore", "NIOHTTP1",
                "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "ServiceLifecycle", "Glibc",
            ], "KafkaService": ["Daemon", "Kafka", "SharedSettings", "Logging"],
            // What servers have in common beside HTTP.
            "AccessTokens": ["Bytes", "Daemon", "Digest"], "FHIR": ["Bytes", "Digest", "NIOCore"],
            // What is stored, and how to start a server: both below whatever uses them.
            "Schema": ["PostgreSQL"], "LocalServers": ["Glibc"],
        ]
        for source in try await Checkout.sources() {
            guard let allowed = allowed[source.target] else { continue }
            #expect(Set(source.imports).isSubset(of: Self.swift.union(allowed)), "\(source.path)")
        }
    }

    @Test("no part imports another, or the executable")
    func parts() async throws {
        for source in try await Checkout.sources() where Self.parts.contains(source.target) {
            #expect(Self.parts.union(Self.above).isDisjoint(with: source.imports), "\(source.path)")
        }
    }

    @Test("every target has its place")
    func targets() async throws {
        let known = Self.parts.union(Self.above).union(Self.wrappers.keys).union([
            "Bytes", "HeartRate", "Simulation", "Daemon", "SharedSettings", "KafkaService", "HTTPService", "Schema",
            "LocalServers", "AccessTokens", "FHIR",
        ])
        #expect(Set(try await Checkout.sources().map(\.target)).isSubset(of: known))
    }

    @Test("C and the keyword unsafe are in the wrappers and in the files that are named here")
    func unsafety() async throws {
        var found: Set<String> = []
        for source in try await Checkout.sources() where Self.wrappers[source.target] == nil {
            if source.isUnsafe || !Self.cModules.isDisjoint(with: source.imports) { found.insert(source.path) }
        }
        #expect(found.subtracting(Self.exceptions.keys) == [], "files that have to give a reason")
        #expect(Set(Self.exceptions.keys).subtracting(found) == [], "reasons that are not needed any more")
    }

    @Test("nothing puts the length of a source's path into the program, which would be another one in another folder")
    func escaping() async throws {
        for text in try await Checkout.texts(in: "Sources/") { #expect(!text.contains("withoutActuallyEscaping")) }
    }

    @Test("nobody imports Foundation, which makes the program twice as large")
    func foundation() async throws {
        for source in try await Checkout.sources() { #expect(!source.imports.contains("Foundation"), "\(source.path)") }
    }
}
