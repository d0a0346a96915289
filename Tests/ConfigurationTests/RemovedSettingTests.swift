import Booking
import Glibc
import TestSupport
import Testing
import Wire

@testable import Configuration

@Suite struct RemovedSettingTests {
    @Test func `a setting that is gone is refused with the word why, in the file, in the environment and as a flag`()
        throws
    {
        let file = try TemporaryFile(#"{"shard": {"tickMilliseconds": 10}, "gateway.ipv6PrefixBits": 56}"#)
        let loaded = LoadedConfiguration(
            flags: [("journal.compactAgeSeconds", "60")],
            environment: ["USHER_GATEWAY_HEADER_COUNT_MAX": "50"],
            file: file.path
        )
        let expected = [
            "FILE: gateway.ipv6PrefixBits was removed: it is 64 bits now, because a host has all addresses behind the first 64 "
                + "bits (RFC 4291); delete the line",
            "FILE: shard.tickMilliseconds was removed: it is 10 milliseconds now, because nobody notices so little, and a tick "
                + "costs some microseconds; delete the line",
            "flag: journal.compactAgeSeconds was removed: it is 3600 seconds now, because journal.compactBytes bounds the "
                + "length of journals, and short ones cost nothing to compact every hour; leave it out",
            "USHER_GATEWAY_HEADER_COUNT_MAX: gateway.headerCountMax was removed: it is 100 fields now, because browsers and "
                + "proxies send a few dozen; unset the variable",
        ]
        #expect(loaded.mistakes.map { $0.description } == expected.map { $0.replacing("FILE", with: file.path) })
        #expect(loaded.notes == [])
    }

    @Test func `a setting that was renamed is refused with its new name`() throws {
        let file = try TemporaryFile(#"{"journal": {"commitPaceMilliseconds": 2}}"#)
        let loaded = LoadedConfiguration(
            flags: [("gateway.overloadAskingRoomPercent", "60")],
            environment: ["USHER_JOURNAL_COMMIT_PACE_MILLISECONDS": "2"],
            file: file.path
        )
        let renamed = "journal.commitPaceMilliseconds was renamed, because it is the minimum time between two commits"
        #expect(
            loaded.mistakes.map { $0.description } == [
                "\(file.path): \(renamed); write journal.commitIntervalMinMilliseconds",
                "flag: gateway.overloadAskingRoomPercent was renamed, because polls and other questions are reads; "
                    + "write gateway.overloadReadHeadroomPercent",
                "USHER_JOURNAL_COMMIT_PACE_MILLISECONDS: \(renamed); write USHER_JOURNAL_COMMIT_INTERVAL_MIN_MILLISECONDS",
            ]
        )
    }

    @Test func `names that are gone are no settings, stand once, and lead to settings that exist`() {
        #expect(Set(RemovedSetting.all.map(\.name)).count == RemovedSetting.all.count)
        for removed in RemovedSetting.all {
            #expect(Settings[removed.name] == nil)
            #expect(removed.renamedTo.map { Settings[$0] != nil } ?? true)
            for name in removed.now.matches(of: /[a-z]+\.[a-z]+[A-Z][A-Za-z]+/) {
                #expect(Settings[String(name.output)] != nil)
            }
        }
    }

    /// Settings that became constants: what is said of them is what they are.
    @Test func `what is said to be a constant is one`() {
        func now(_ name: String) -> String? { RemovedSetting[name]?.now }
        let http = HTTPLimits()
        #expect(now("gateway.headerBytesMax") == "\(http.headerBytesMax) bytes")
        #expect(now("gateway.headerCountMax") == "\(http.headerCountMax) fields")
        #expect(now("gateway.targetBytesMax") == "\(http.targetBytesMax) bytes")
        let configuration = ServerConfiguration()
        #expect(now("operator.connectionsMax") == "\(configuration.operatorConnectionsMax) connections")
        let gateway = configuration.gatewayLimits
        #expect(
            now("gateway.scheduleCacheMilliseconds") == "\(gateway.scheduleLifetime.rawValue / 1_000_000) milliseconds"
        )
        #expect(
            now("gateway.overloadPatienceMilliseconds")
                == "\(gateway.window.patience.rawValue / 1_000_000) milliseconds"
        )
        #expect(now("gateway.pollPauseMaxSeconds") == "\(configuration.pollPause.secondsMax) seconds")
        #expect(
            now("shard.keyLifetimeSeconds")
                == "\(configuration.answerLimits.keyLifetime.rawValue / 1_000_000_000) seconds"
        )
        #expect(now("shard.keysPerUserMax") == "\(configuration.answerLimits.keysPerUserMax) keys")
        #expect(now("identity.leewaySeconds") == "\(IdentityToken.Rules().leewaySeconds) seconds")
        // What followed from several settings follows from one, and is what it was.
        #expect(gateway.heldPerShardMax == 10_000 && gateway.window.bookingRoomPercent == 100)
        #expect(configuration.unfinishedBytesMax == 64 << 20)
        #expect(configuration.answerLimits.resendLifetime == .seconds(120))
    }

    /// A rolling restart starts new binaries on the settings file that the old supervisor wrote.
    @Test func `what an earlier version wrote into its state folder is read, unless a value would be lost`() throws {
        let folder = "/tmp/usher-c\(UInt32.random(in: 0 ... .max))"
        #expect(mkdir(folder, 0o700) == 0)
        let file = "\(folder)/config.json"
        defer { for path in [file, "\(folder)/usher.lock", folder] { remove(path) } }
        func mistakes(_ text: String) throws -> [String] {
            try TextFile.write(Array(text.utf8), to: file)
            return LoadedConfiguration(environment: [:], file: file).mistakes.map(\.problem)
        }
        let all = RemovedSetting.all.filter { $0.renamedTo == nil }.map { removed in
            let value = Int(removed.was).map { "\($0)" } ?? "\"\(removed.was)\""
            return "\"\(removed.name)\": \(value)"
        }
        let renamed = #""journal": {"commitPaceMilliseconds": 7}, "gateway.overloadAskingRoomPercent": 70"#
        let text = "{\(all.joined(separator: ", ")), \(renamed)}"
        // Somebody's own file of that name.
        #expect(try mistakes(text).count == RemovedSetting.all.count)
        try TextFile.write([], to: "\(folder)/usher.lock")
        #expect(try mistakes(text) == [])
        let read = LoadedConfiguration(environment: [:], file: file).configuration
        #expect(read.journal.commitIntervalMinMilliseconds == 7 && read.gateway.overloadReadHeadroomPercent == 70)
        #expect(try mistakes(#"{"shard": {"tickMilliseconds": 5}}"#).count == 1)
    }
}
