import Testing
import Wire

@testable import Configuration

@Suite struct SettingsTests {
    @Test func `names, variables and places are given once`() {
        #expect(Set(Settings.all.map(\.name)).count == Settings.all.count)
        #expect(Set(Settings.all.map(\.variable)).count == Settings.all.count)
    }

    @Test(arguments: Settings.all) func `a setting is explained in one sentence, and its default is allowed`(
        setting: Setting
    ) throws {
        #expect(setting.explanation.hasSuffix("."))
        #expect(setting.name.split(separator: ".").count == 2)
        #expect(!setting.allowed.isEmpty)
        var configuration = ServerConfiguration()
        try setting.store(.text(setting.defaultText), in: &configuration)
        #expect(configuration == ServerConfiguration())
    }

    /// A setting that is not in the table could not be set, and nobody would hear of it.
    @Test func `the table and the struct have the same settings`() throws {
        var seen: Set<String> = []
        for group in Mirror(reflecting: ServerConfiguration()).children {
            for member in Mirror(reflecting: group.value).children {
                let name = "\(group.label!).\(member.label!)"
                seen.insert(name)
                #expect(Settings[name]?.text(in: ServerConfiguration()) == "\(member.value)", "\(name)")
            }
        }
        #expect(seen == Set(Settings.all.map(\.name)))
    }

    /// The parser traps on limits that it can't keep: the table must not let them through.
    @Test func `the parser of requests takes both ends of every range`() throws {
        for end in [\ClosedRange<Int>.lowerBound, \.upperBound] {
            var configuration = ServerConfiguration()
            for setting in Settings.all {
                guard case .whole(let range, _) = setting.kind else { continue }
                try setting.store(.text("\(range[keyPath: end])"), in: &configuration)
            }
            _ = HTTPRequestParser(limits: configuration.requestLimits)
        }
    }

    @Test func `a name in the environment is in capitals, a word each`() {
        #expect(Settings["gateway.port"]?.variable == "USHER_GATEWAY_PORT")
        #expect(Settings["gateway.idleTimeoutSeconds"]?.variable == "USHER_GATEWAY_IDLE_TIMEOUT_SECONDS")
    }

    @Test func `the reference has a row for each setting, and says what became of others`() {
        let rows = ConfigurationReport.reference().split(separator: "\n")
        for setting in Settings.all {
            #expect(rows.count { $0.hasPrefix("| `\(setting.name)`") } == 1, "\(setting.name)")
        }
        for removed in RemovedSetting.all { #expect(rows.count { $0.hasPrefix("| `\(removed.name)` |") } == 1) }
        #expect(
            rows.contains(
                "| `gateway.port` | `8080` | a whole number from 0 to 65535 | Port for clients; 0 takes any free port. |"
            )
        )
        #expect(
            rows.contains(
                "| `gateway.idleTimeoutSeconds` ↻ | `75` | a whole number from 1 to 86400 (seconds) "
                    + "| Idle connections are closed after this time; a proxy in front should close them earlier. |"
            )
        )
    }

    @Test func `what must be set is short`() {
        #expect((8...12).contains(Settings.all.count { $0.importance == .essential }))
    }

    @Test(arguments: [
        ("gatway.port", "gateway.port"), ("GATEWAY.PORT", "gateway.port"), ("cluster.shard", "cluster.shards"),
        ("gateway.idleTimeout", "gateway.idleTimeoutSeconds"),
    ])
    func `a name that is nearly right finds its setting`(written: String, meant: String) {
        #expect(NearestName.of(written, among: Settings.all.map(\.name)) == meant)
    }

    @Test func `a name that is far off finds nothing`() {
        #expect(NearestName.of("colour", among: Settings.all.map(\.name)) == nil)
    }
}
