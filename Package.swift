// swift-tools-version: 6.2

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // A message's bytes are lent as a RawSpan that cannot outlive the message.
    .enableExperimentalFeature("Lifetimes"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies, exclude: exclude,
        swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
}

let package = Package(
    name: "heartbeat",
    products: [.executable(name: "heartbeat", targets: ["heartbeat"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
    ],
    targets: [
        // The C libraries, from Debian's -dev packages.
        .systemLibrary(name: "CLibCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CLibZ", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // simdjson's pkg-config file has a define that the package manager refuses with a warning: it stands here.
        .target(
            name: "CSimdJSON", cxxSettings: [.define("SIMDJSON_THREADS_ENABLED", to: "1")],
            linkerSettings: [.linkedLibrary("simdjson")]),

        // Wrappers: the only targets that touch C. None imports another.
        library("Crypt", ["CLibCrypt"]),
        library("Curl", ["CLibCurl"]),
        library("Digest", ["CLibCrypto"]),
        library("Kafka", ["CLibRdKafka"]),
        library("PostgreSQL", ["CLibPQ"]),
        library("Systemd", ["CLibSystemd"]),
        library("Zlib", ["CLibZ"]),

        library("Bytes", []),
        library("HeartRate", ["Bytes", "CSimdJSON"]),
        // Simulated hearts and sensors: for the producer and for tests, so that no other daemon links them.
        library("Simulation", ["Bytes", "HeartRate"]),
        library("Daemon", ["Bytes", "Systemd", argumentParser, logging]),
        // Settings of more than one part, and Kafka as a daemon's dependency.
        library("SharedSettings", ["Daemon"]),
        library("KafkaService", ["Daemon", "Kafka", "SharedSettings", logging]),

        // HTTP as the daemons serve it.
        library("HTTPService", ["Daemon", "Zlib", hummingbird, logging]),
        // What servers have in common beside HTTP: who may do what by a token, and FHIR.
        library("AccessTokens", ["Bytes", "Daemon", "Digest"]),
        library("FHIR", ["Bytes", "Digest", hummingbird]),

        // The tables, their numbers and what every session with them relies on.
        library("Schema", ["PostgreSQL"], resources: [.embedInCode("db")]),
        // Private servers by initdb, for the demo and the tests.
        library("LocalServers", []),

        // Parts: none imports another.
        library(
            "Producer",
            ["Bytes", "Simulation", "Daemon", "HeartRate", "Kafka", "KafkaService", "SharedSettings", "Zlib", logging]),
        library(
            "Consumer",
            [
                "Daemon", "HeartRate", "Kafka", "KafkaService", "PostgreSQL", "Schema", "SharedSettings", logging,
                subprocess,
            ]),
        library(
            "Dashboard",
            [
                "AccessTokens", "Bytes", "Crypt", "Daemon", "FHIR", "HTTPService", "HeartRate", "PostgreSQL", "Schema",
                "SharedSettings", "Zlib",
                hummingbird, logging,
            ],
            resources: [.embedInCode("openapi.json"), .embedInCode("Page")]),
        library(
            "Gateway",
            [
                "AccessTokens", "Bytes", "Daemon", "FHIR", "HTTPService", "HeartRate", "Kafka", "KafkaService",
                "SharedSettings", "Zlib",
                hummingbird, logging,
            ],
            resources: [.embedInCode("openapi.json")]),
        library(
            "Notifier",
            ["Bytes", "Curl", "Daemon", "Digest", "HeartRate", "PostgreSQL", "Schema", "SharedSettings", logging]),
        library("Database", ["Daemon", "PostgreSQL", "Schema", "SharedSettings", logging]),

        // Looks at all parts, so it stands above them.
        library(
            "Doctor",
            [
                "Consumer", "Daemon", "Dashboard", "Database", "Gateway", "Kafka", "KafkaService", "Notifier",
                "PostgreSQL",
                "Producer", "Schema", "SharedSettings", subprocess,
            ]),

        .executableTarget(
            name: "heartbeat",
            dependencies: [
                "Bytes", "Consumer", "Daemon", "Dashboard", "Database", "Doctor", "Gateway", "HeartRate", "Kafka",
                "KafkaService", "LocalServers", "Notifier", "PostgreSQL", "Producer", "Schema", "SharedSettings",
                "Simulation",
                argumentParser, logging, subprocess,
            ],
            swiftSettings: swiftSettings),

        // Replaces malloc in the test program, to prove that the hot path allocates nothing.
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        tests("AccessTokens", ["AccessTokens"]),
        tests("Bytes", ["Bytes"]),
        tests("Simulation", ["HeartRate", "Simulation", "CAllocationCounter"]),
        tests("HeartRate", ["HeartRate", "Simulation", "CAllocationCounter"]),
        tests("Consumer", ["Consumer", "HeartRate", "Kafka", "PostgreSQL", "CAllocationCounter", logging]),
        tests("Daemon", ["Daemon", "Simulation", "SharedSettings", logging]),
        tests("Zlib", ["Zlib"]),

        // Stops one thread of a child process, to prove that the watchdog sees it.
        .target(name: "CThreadStop", path: "Tests/CThreadStop"),

        // What the tests of the whole share: real processes, a private PostgreSQL, a broker. No test is in it.
        .testTarget(
            name: "Harness",
            dependencies: ["CThreadStop", "Daemon", "HeartRate", "Kafka", "LocalServers", "PostgreSQL"],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        tests("Pipeline", ["Harness", "Simulation", "HeartRate", "Kafka", "PostgreSQL"]),
        tests("Database", ["Database", "Harness", "PostgreSQL", "Simulation"]),
        tests("Kafka", ["Harness", "Kafka"]),
        tests("PostgreSQL", ["Harness", "PostgreSQL"]),
        tests(
            "Architecture",
            [
                "Consumer", "Daemon", "Dashboard", "Database", "Gateway", "Harness", "Notifier", "Producer", "Schema",
            ]),
        tests("Crypt", ["Crypt"]),
        tests("Dashboard", ["Dashboard", "Harness", "HeartRate", "PostgreSQL"]),
        tests("Digest", ["Digest"]),
        tests("Gateway", ["Gateway", "Harness", "HeartRate", "PostgreSQL", "Zlib"]),
        tests("Demo", ["Consumer", "Daemon", "Dashboard", "Database", "Harness", "Kafka", "PostgreSQL", "Producer"]),
        tests("Doctor", ["Doctor", "Harness", "PostgreSQL", "Schema"]),
        tests("Notifier", ["Harness", "HeartRate", "Notifier", "PostgreSQL"]),
        tests("Producer", ["Harness", "HeartRate", "Producer"]),
    ],
    cxxLanguageStandard: .cxx17
)
