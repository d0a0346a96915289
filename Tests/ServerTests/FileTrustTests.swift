import Booking
import Foundation
import Glibc
import Reactor
import TestSupport
import Testing
import Wire

@testable import Configuration

/// Files and folders that others could have their hands on are not believed, and what to do is said.
@Suite struct FileTrustTests {
    private static let keys = #"{"keys":[{"kty":"oct","kid":"a","k":"\#(String(repeating: "c2Vj", count: 16))"}]}"#

    private static func state() throws -> StateDirectory {
        let state = TestCluster.freshState()
        try state.prepare()
        return state
    }

    private static func remove(_ state: StateDirectory) { try? FileManager.default.removeItem(atPath: state.path) }

    @Test func `token keys that others may read or write are refused`() throws {
        let state = try Self.state()
        defer { Self.remove(state) }
        let ring = try state.loadOrCreateKeys(at: Timestamp(seconds: 1))
        for (mode, what) in [(0o640, "read"), (0o604, "read"), (0o620, "write"), (0o666, "write"), (0o601, "read")] {
            chmod(state.keyFile, mode_t(mode))
            let error = #expect(throws: StartError.self) { try state.loadKeys() }
            let problem = "others may \(what) \(state.keyFile) (mode \(String(mode, radix: 8))), "
            #expect(error?.problem == problem + "and so make tokens for any place in line")
            #expect(error?.remedy.hasPrefix("chmod 600 \(state.keyFile)") == true)
            #expect(throws: StartError.self) { try state.addKey(at: Timestamp(seconds: 2)) }
        }
        for mode in [0o600, 0o400] {
            chmod(state.keyFile, mode_t(mode))
            #expect(try state.loadKeys() == ring)
        }
    }

    @Test func `keys of logins that others may write are refused, and may be read by all`() throws {
        let file = try TemporaryFile(Self.keys)
        chmod(file.path, 0o664)
        let error = #expect(throws: StartError.self) { try IdentityKeys.load(file.path) }
        #expect(
            error?.description
                == "identity.keyFile: others may write \(file.path) (mode 664), and so log in as anybody; "
                + "chmod go-w \(file.path), and look at what is in it"
        )
        chmod(file.path, 0o644)
        #expect(try IdentityKeys.load(file.path).keys.count == 1)
    }

    @Test func `a state folder that others may write to is refused, and what they may read is theirs to see`() throws {
        let state = try Self.state()
        defer { Self.remove(state) }
        for mode in [0o770, 0o702, 0o1777] {
            chmod(state.path, mode_t(mode))
            let error = #expect(throws: StartError.self) { try state.prepare() }
            #expect(error?.problem.hasPrefix("the state folder: others may write \(state.path) (mode ") == true)
            #expect(error?.remedy == "chmod 700 \(state.path), and look at what is in it")
        }
        for mode in [0o755, 0o700] {
            chmod(state.path, mode_t(mode))
            try state.prepare()
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func `files of another user than this one are refused`() throws {
        let state = try Self.state()
        defer { Self.remove(state) }
        _ = try state.loadOrCreateKeys(at: Timestamp(seconds: 1))
        let file = try TemporaryFile(Self.keys)
        for path in [state.keyFile, file.path] { chown(path, 12_345, 12_345) }
        let errors = [
            #expect(throws: StartError.self) { try state.loadKeys() },
            #expect(throws: StartError.self) { try IdentityKeys.load(file.path) },
            #expect(throws: StartError.self) { try OperatorTokenFile(path: file.path).load() },
        ]
        for error in errors {
            #expect(error?.problem.hasSuffix("belongs to user 12345, and this is user 0") == true)
            #expect(error?.remedy.contains("chown 0 ") == true)
        }
    }

    /// A link is as good as what it leads to: the file that is read is the one that is looked at.
    @Test func `a link to a file that others may write is refused`() throws {
        let file = try TemporaryFile("")
        let link = file.path + ".link"
        symlink(file.path, link)
        defer { unlink(link) }
        #expect(try OperatorTokenFile(path: link).load().isEmpty)
        chmod(file.path, 0o666)
        #expect(throws: StartError.self) { try OperatorTokenFile(path: link).load() }
    }

    @Test func `a running gateway goes on with the keys it has, and tells of the file that it does not take`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        let token = try client.enter(1, 1)
        chmod(cluster.state.keyFile, 0o644)
        try TestCluster.eventually("it is told") {
            cluster.errorText.contains("token keys not read, the old ones go on")
                && cluster.errorText.contains("chmod 600 \(cluster.state.keyFile)")
        }
        #expect(try client.poll(1, token).status == 200)
        chmod(cluster.state.keyFile, 0o600)
        try TestCluster.eventually("it is read again") { cluster.errorText.contains("token keys changed") }
        #expect(try client.poll(1, token).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a cluster does not start with keys that others may read`() throws {
        let state = try Self.state()
        _ = try state.loadOrCreateKeys(at: .now)
        chmod(state.keyFile, 0o644)
        let cluster = try TestCluster(in: state)
        #expect(cluster.waitUntilOver() == 1)
        #expect(cluster.errorText.contains("others may read \(state.keyFile)"), "\(cluster.errorText)")
    }
}
