// swift-tools-version: 6.1
import PackageDescription

/// `Tests/Fuzzing/run` names libFuzzer's library here; nobody else does.
let fuzzer = Context.environment["USHER_LIBFUZZER"]
/// `make simulate` sets it, in a scratch folder of its own.
let checksExclusivity = Context.environment["USHER_EXCLUSIVITY"] == "checked"

/// Every room is held to the same rules.
let house: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .unsafeFlags(["-warnings-as-errors"]),
        // Overlapping accesses are found by the compiler, and at run time by every debug build and test, and by the simulator in
        // a release build. Checking them again in production costs half a microsecond of a poll's three in the gateway.
    ] + (checksExclusivity ? [] : [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))])
    // Fuzzing looks inside, counts where a run has been, and keeps the asserts, at the speed of a release build.
    + (fuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing", "-assert-config", "Debug"])])

let package = Package(
    name: "usher",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Cryptography", dependencies: ["COpenSSL"], swiftSettings: house),
        .target(name: "Reactor", dependencies: ["CLibuv"], swiftSettings: house),
        .target(name: "StandardStreams", swiftSettings: house),
        .target(
            name: "CommandLineTool",
            dependencies: ["StandardStreams", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: house
        ),
        .target(
            name: "Booking",
            dependencies: [
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Wire",
            dependencies: ["Booking", "COpenSSL", "Cryptography"],
            exclude: ["Frames/README.md", "Tokens/README.md"],
            swiftSettings: house
        ),
        .target(name: "Node", dependencies: ["Booking", "Wire"], swiftSettings: house),
        .target(name: "Journal", dependencies: ["Booking"], swiftSettings: house),
        .target(
            name: "JournalSQLite",
            dependencies: ["Booking", "CSQLite", "Cryptography", "Journal"],
            swiftSettings: house
        ),
        .target(
            name: "Configuration",
            dependencies: [
                "Booking", "Cryptography", "Reactor", "StandardStreams", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Statistics",
            dependencies: [
                "Booking", "Configuration", "Reactor", "StandardStreams", "Wire",
            ],
            swiftSettings: house
        ),
        .target(
            name: "Links",
            dependencies: [
                "Booking", "Node", "Reactor", "Statistics", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Edge",
            dependencies: [
                "Booking", "Configuration", "Reactor", "Statistics", "Wire",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "JournalHistory",
            dependencies: [
                "Booking", "Configuration", "Journal", "JournalSQLite", "Reactor", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Operator",
            dependencies: [
                "Booking", "Configuration", "Edge", "JournalHistory", "Links", "Reactor", "StandardStreams",
                "Statistics",
                "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Server",
            dependencies: [
                "Booking", "Configuration", "Edge", "Journal", "JournalHistory", "Links", "Node", "Operator",
                "Reactor", "StandardStreams", "Statistics", "Wire",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "Supervisor",
            dependencies: [
                "Booking", "Configuration", "Journal", "JournalHistory", "Links", "Reactor", "StandardStreams",
                "Statistics", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "usher",
            dependencies: [
                "CommandLineTool", "Configuration", "JournalHistory", "Operator", "Reactor", "Server",
                "StandardStreams",
                "Supervisor",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house
        ),
        .target(name: "Seeded", swiftSettings: house),
        .target(name: "Simulation", dependencies: ["Booking", "Node", "Seeded", "Wire"], swiftSettings: house),
        .executableTarget(
            name: "simulator",
            dependencies: [
                "CommandLineTool", "Simulation", "StandardStreams",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house
        ),

        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "Booking", "Journal", "JournalSQLite", "Reactor", "RequestCosts", "Seeded", "StandardStreams", "Wire",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: house
        ),

        // How the gateway's parser frames requests, for scripts that compare it with others.
        .executableTarget(
            name: "framing",
            dependencies: ["Wire"],
            path: "Tests/SecondOpinion/Framing",
            swiftSettings: house
        ),

        // What several test suites share.
        .target(name: "TestSupport", dependencies: ["COpenSSL"], path: "Tests/Support", swiftSettings: house),
        // Odd requests, and the way of each through gateway and shard: what they cost is a test and a benchmark.
        .target(
            name: "RequestCosts",
            dependencies: ["Booking", "Wire"],
            path: "Tests/RequestCosts",
            swiftSettings: house
        ),
        .testTarget(name: "CryptographyTests", dependencies: ["Cryptography", "TestSupport"], swiftSettings: house),
        .testTarget(name: "ReactorTests", dependencies: ["Reactor"], swiftSettings: house),
        .testTarget(name: "StandardStreamsTests", dependencies: ["StandardStreams"], swiftSettings: house),
        .testTarget(name: "BookingTests", dependencies: ["Booking", "Seeded"], swiftSettings: house),
        .testTarget(
            name: "WireTests",
            dependencies: ["Wire", "Booking", "Cryptography", "RequestCosts", "Seeded", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: ["Journal", "JournalSQLite", "Booking", "Seeded"],
            swiftSettings: house
        ),
        .testTarget(name: "NodeTests", dependencies: ["Node", "Booking", "Wire"], swiftSettings: house),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation"], swiftSettings: house),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: [
                "Configuration", "Booking", "TestSupport", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
        .testTarget(name: "LinksTests", dependencies: ["Links", "Reactor"], swiftSettings: house),
        .testTarget(
            name: "EdgeTests",
            dependencies: ["Edge", "Booking", "Configuration", "Wire"],
            swiftSettings: house
        ),
        .testTarget(
            name: "JournalHistoryTests",
            dependencies: [
                "JournalHistory", "Booking", "Configuration", "Journal", "JournalSQLite", "Seeded", "Wire",
            ],
            swiftSettings: house
        ),
        .testTarget(name: "OperatorTests", dependencies: ["Operator", "Statistics", "Wire"], swiftSettings: house),
        .testTarget(name: "SupervisorTests", dependencies: ["Supervisor", "Booking"], swiftSettings: house),
        // Whole clusters, and what several rooms do together.
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Booking", "Configuration", "Edge", "Journal", "JournalHistory", "JournalSQLite", "Links",
                "Operator",
                "Reactor", "Seeded", "StandardStreams", "Statistics", "Supervisor", "TestSupport", "Wire", "usher",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),
    ]
)

// What is done with bytes from outside (Tests/Fuzzing/Targets) is a test of every build, or else a program around
// libFuzzer, never both: two targets can't share a folder.
let fuzzed: [Target.Dependency] = [
    "Booking", "Configuration", "Journal", "JournalHistory", "JournalSQLite", "Wire",
]
if let fuzzer {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: fuzzed,
            path: "Tests/Fuzzing",
            exclude: ["Corpus", "README.md", "Tests", "run"],
            sources: ["Targets", "Entry"],
            swiftSettings: house,
            linkerSettings: [.unsafeFlags([fuzzer]), .linkedLibrary("stdc++")]
        )
    )
} else {
    package.targets.append(
        .testTarget(
            name: "FuzzingTests",
            dependencies: fuzzed + ["Seeded"],
            path: "Tests/Fuzzing",
            exclude: ["Corpus", "Entry", "README.md", "run"],
            sources: ["Targets", "Tests"],
            swiftSettings: house
        )
    )
}
