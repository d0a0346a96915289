import Booking
import Glibc
import TestSupport
import Testing

@testable import Configuration

@Suite struct LoadedConfigurationTests {
    @Test func `flags win over the environment, it over the file, and that over the defaults`() throws {
        let file = try TemporaryFile(
            #"{"gateway": {"port": 1001, "host": "127.0.0.1"}, "cluster.shards": 2, "log": {"format": "json"}}"#
        )
        let loaded = LoadedConfiguration(
            flags: [("cluster.shards", "8")],
            environment: ["USHER_GATEWAY_PORT": "1002", "USHER_CLUSTER_SHARDS": "3", "USHER_CONFIG": file.path]
        )
        #expect(loaded.mistakes == [])
        #expect(loaded.configuration.cluster.shards == 8)
        #expect(loaded.configuration.gateway.port == 1_002)
        #expect(loaded.configuration.gateway.host == "127.0.0.1")
        #expect(loaded.configuration.operator.port == 8_081)
        #expect(
            loaded.origins == [
                "cluster.shards": .flag, "gateway.port": .environment(variable: "USHER_GATEWAY_PORT"),
                "gateway.host": .file(file.path), "log.format": .file(file.path),
            ]
        )
    }

    @Test func `a name that stands twice in the file is refused, by its name`() throws {
        let file = try TemporaryFile("{\"gateway\": {\"port\": 1001,\n\"port\": 1002}, \"gateway\": {}}")
        let mistakes = LoadedConfiguration(environment: [:], file: file.path).mistakes.map(\.problem)
        #expect(mistakes.contains("gateway.port occurs twice, the second time in line 2"), "\(mistakes)")
        #expect(mistakes.contains("gateway occurs twice, the second time in line 2"), "\(mistakes)")
    }

    @Test func `the flag for the file wins over the variable`() throws {
        let file = try TemporaryFile(#"{"cluster": {"shards": 7}}"#)
        let loaded = LoadedConfiguration(environment: ["USHER_CONFIG": "/nowhere"], file: file.path)
        #expect(loaded.mistakes == [])
        #expect(loaded.configuration.cluster.shards == 7)
    }

    @Test func `all mistakes are found in one run, each with its place and what to do`() throws {
        let file = try TemporaryFile(
            """
            {"gateway": {"port": 70000, "prot": 1, "host": "localhost", "bodyBytesMax": "big", "connectionsMax": true},
             "cluster": 4, "port": 80, "journal": {"kind": "paper"}, "booking": {"timeZone": "Asia/Soul"},
             "log": {"level": null, "format": ["text"]}, "colour": {"of": {"hair": 1}},
             "shard": {"keptAnswersMax": 1.5}}
            """
        )
        let loaded = LoadedConfiguration(
            flags: [("gateway.prot", "1"), ("operator.port", "")],
            environment: ["USHER_CLUSTER_GATEWAYS": "many", "USHER_BOOKING_MAX_ACTIVE": "-1"],
            file: file.path
        )
        let expected = [
            "FILE: cluster is 4, but it is a group of settings; write an object, such as {\"cluster\": {...}}",
            "FILE: there is no setting colour.of; remove it; usher config reference lists all settings",
            "FILE: there is no setting gateway.prot; did you mean gateway.port?",
            "FILE: there is no setting port; did you mean gateway.port or operator.port?",
            "flag: there is no setting gateway.prot; did you mean gateway.port?",
            "USHER_CLUSTER_GATEWAYS: cluster.gateways is 'many', which is not a whole number; "
                + "it must be a whole number from 1 to 64",
            "FILE: gateway.host is 'localhost', which is not an address; "
                + "it must be an IPv4 or IPv6 address, such as 127.0.0.1, 0.0.0.0 or ::1",
            "FILE: gateway.port is 70000, which is out of range; it must be a whole number from 0 to 65535",
            "FILE: gateway.connectionsMax is true, which is not a whole number; "
                + "it must be a whole number from 1 to 1000000 (connections)",
            "FILE: gateway.bodyBytesMax is 'big', which is not a whole number; "
                + "it must be a whole number from 1024 to 16777216 (bytes)",
            "flag: operator.port is '', which is not a whole number; it must be a whole number from 0 to 65535",
            "FILE: shard.keptAnswersMax is 1.5, which is not a whole number; "
                + "it must be a whole number from 100 to 100000000 (answers)",
            "FILE: booking.timeZone is 'Asia/Soul', which is no time zone of this system; "
                + "it must be the name of a time zone, such as Asia/Seoul or UTC",
            "USHER_BOOKING_MAX_ACTIVE: booking.maxActive is -1, which is out of range; "
                + "it must be a whole number from 0 to 4294967295 (people)",
            "FILE: journal.kind is 'paper'; it must be one of memory, sqlite",
            "FILE: log.level is null, which is not a text in quotes; "
                + "it must be one of trace, debug, info, notice, warning, error, critical",
            "FILE: log.format is a list, which is not a text in quotes; it must be one of text, json",
        ]
        #expect(loaded.mistakes.map { $0.description } == expected.map { $0.replacing("FILE", with: file.path) })
    }

    @Test(arguments: [
        ("[1]", "the settings file holds a list"), ("", "the settings file is not JSON: "),
        (#"{"gateway": {"port": 1,,}}"#, "the settings file is not JSON: "),
    ])
    func `a file that is no object of groups is told apart`(content: String, problem: String) throws {
        let file = try TemporaryFile(content)
        let loaded = LoadedConfiguration(environment: [:], file: file.path)
        #expect(loaded.mistakes.count == 1)
        #expect(loaded.mistakes.first?.problem.hasPrefix(problem) == true, "\(loaded.mistakes)")
    }

    @Test func `a file that is not there is a mistake with the system's words`() {
        let loaded = LoadedConfiguration(environment: ["USHER_CONFIG": "/nowhere/usher.json"])
        #expect(
            loaded.mistakes.map { $0.description } == [
                "/nowhere/usher.json: the settings file cannot be opened: No such file or directory; "
                    + "name a file that can be read with --config or USHER_CONFIG, or leave both out"
            ]
        )
    }

    @Test func `settings that do not go together are mistakes`() {
        let loaded = LoadedConfiguration(
            flags: [
                ("operator.port", "8080"), ("gateway.bodyBytesMax", "1000000"), ("gateway.unsentBytesMax", "8000000"),
                ("shard.keptAnswersMax", "1000"), ("cluster.state", String(repeating: "d", count: 96)),
            ],
            environment: [:]
        )
        #expect(
            loaded.mistakes.map(\.place) == [
                "gateway.port and operator.port", "gateway.unsentBytesMax", "shard.keptAnswersMax", "cluster.state",
            ]
        )
    }

    @Test(arguments: ["booking.waitingLifetimeSeconds", "booking.admittedLifetimeSeconds"])
    func `a place is kept for longer than the shortest pause between two polls`(name: String) throws {
        let refused = LoadedConfiguration(flags: [(name, "1")], environment: [:])
        #expect(
            refused.mistakes.map(\.description) == [
                "flag: \(name) is 1, which is out of range; it must be a whole number from 2 to 31536000 (seconds)"
            ]
        )
        for seconds in 2...400 {
            let loaded = LoadedConfiguration(flags: [(name, "\(seconds)")], environment: [:])
            #expect(loaded.mistakes == [])
            #expect(Int(loaded.configuration.rules.pollPauseSecondsMax) * 2 <= seconds)
        }
    }

    @Test func `a state folder may be as long as its sockets allow`() {
        let longest = StateDirectory.socketPathBytesMax - "/gateway-0.sock".utf8.count
        let fits = LoadedConfiguration(
            flags: [("cluster.state", String(repeating: "d", count: longest))],
            environment: [:]
        )
        #expect(fits.mistakes == [])
    }

    @Test func `a misspelt variable is pointed out, Kubernetes' own are not`() {
        let loaded = LoadedConfiguration(environment: [
            "USHER_GATWAY_PORT": "1", "USHER_SERVICE_HOST": "10.0.0.1", "USHER_PORT": "tcp://10.0.0.1:8080",
            "USHER_PORT_8080_TCP": "x", "PATH": "/bin",
        ])
        #expect(loaded.mistakes == [])
        #expect(
            loaded.notes == [
                "USHER_GATWAY_PORT is set in the environment, but no setting has that name; "
                    + "did you mean 'USHER_GATEWAY_PORT'?"
            ]
        )
    }

    @Test func `the check shows each value, where it came from, and the verdict`() {
        let loaded = LoadedConfiguration(
            flags: [("gateway.port", "0")],
            environment: ["USHER_GATEWAY_IDLE_TIMEOUT_SECONDS": "5"]
        )
        let lines = ConfigurationReport.check(loaded).split(separator: "\n")
        #expect(lines.contains("gateway.port = 0   [flag]"))
        #expect(
            lines.contains(
                "gateway.idleTimeoutSeconds = 5 seconds   [environment USHER_GATEWAY_IDLE_TIMEOUT_SECONDS]"
            )
        )
        #expect(lines.contains("catalogue.file = (none)   [default]"))
        #expect(lines.last == "The settings are right.")
    }

    @Test(
        arguments: [
            (
                ["booking.maxSeatsPerReservation": "9"],
                [
                    "booking.maxSeatsPerReservation is 9, but booking.heldSeatsPerUserMax limits every reservation to 8 "
                        + "seats"
                ]
            ),
            (
                ["booking.seatsPerUserMax": "3"],
                ["booking.maxSeatsPerReservation is 4, but booking.seatsPerUserMax limits every reservation to 3 seats"]
            ),
            (["booking.seatsPerUserMax": "4"], []),
        ] as [([String: String], [String])]
    )
    func `reservations that no user can make are pointed out`(settings: [String: String], notes: [String]) {
        let loaded = LoadedConfiguration(flags: settings.map { ($0, $1) }, environment: [:])
        #expect(loaded.mistakes == [])
        #expect(loaded.notes == notes)
    }

    @Test func `the resolved settings are a settings file that gives the same settings`() throws {
        let first = LoadedConfiguration(
            flags: [("gateway.port", "0"), ("booking.timeZone", "Europe/Berlin")],
            environment: [:]
        )
        let file = try TemporaryFile(String(decoding: first.configuration.fileContent(), as: UTF8.self))
        let second = LoadedConfiguration(environment: [:], file: file.path)
        #expect(second.mistakes == [])
        #expect(second.configuration == first.configuration)
    }
}
