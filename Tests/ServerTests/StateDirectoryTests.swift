import Booking
import Foundation
import Glibc
import Reactor
import TestSupport
import Testing
import Wire

@testable import Configuration

@Suite struct StateDirectoryTests {
    @Test func `a folder is made for its owner alone, and found again`() throws {
        let state = TestCluster.freshState()
        defer { rmdir(state.path) }
        try state.prepare()
        try state.prepare()
        #expect(FileStatus(state.path)?.mode == 0o700)
    }

    @Test func `a file in its place is refused`() throws {
        let file = try TemporaryFile("{}")
        let error = #expect(throws: StartError.self) { try StateDirectory(path: file.path).prepare() }
        #expect(error?.description == "\(file.path) is not a folder; choose another with --state")
    }

    @Test func `a folder without a parent is refused`() {
        let error = #expect(throws: StartError.self) { try StateDirectory(path: "/nowhere/usher").prepare() }
        #expect(
            error?.description == "the state folder /nowhere/usher cannot be created: No such file or directory; "
                + "create its parent, or choose another folder with --state"
        )
    }

    @Test func `another user's folder is refused`() throws {
        // Only root can give a folder away; for everybody else root's will do.
        let isRoot = geteuid() == 0
        let state = isRoot ? TestCluster.freshState() : StateDirectory(path: "/etc")
        defer { if isRoot { rmdir(state.path) } }
        if isRoot {
            try state.prepare()
            chown(state.path, 12_345, 12_345)
        }
        let error = #expect(throws: StartError.self) { try state.prepare() }
        #expect(
            error?.description
                == "the state folder: \(state.path) belongs to user \(isRoot ? 12345 : 0), and this is user "
                + "\(geteuid()); run as its owner, or chown \(geteuid()) \(state.path) and look at what is in it"
        )
    }

    @Test func `keys are made once, for their owner alone, and a spoilt file is refused without its content`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let ring = try state.loadOrCreateKeys(at: Timestamp(seconds: 1_767_193_200))
        #expect(try state.loadOrCreateKeys(at: Timestamp(seconds: 1_800_000_000)) == ring)
        #expect(FileStatus(state.keyFile)?.mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: state.path) == ["token.keys"])
        try TextFile.write(Array("1 1767193200 c2VjcmV0\n".utf8), to: state.keyFile)
        let error = #expect(throws: StartError.self) { try state.loadOrCreateKeys(at: Timestamp(seconds: 0)) }
        #expect(error?.problem.contains("line 1") == true)
        #expect(error?.description.contains("c2VjcmV0") == false)
    }

    @Test func `a new key changes no token that is out, and a removed one ends those it signed`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let start = Timestamp(seconds: 1_767_193_200)
        let old = Pass(concert: ConcertID(1), user: UserID(2), place: Place(3), issuedAt: start + .seconds(1))
        let token = try state.loadOrCreateKeys(at: start).sign(old)

        let key = try state.addKey(at: start + .seconds(60))
        #expect(key.id == 2)
        #expect(key.activeFrom == start + .seconds(70))
        let both = try state.loadKeys()
        #expect(both.sign(old) == token)
        let new = Pass(concert: ConcertID(1), user: UserID(2), place: Place(4), issuedAt: start + .seconds(71))
        let newToken = both.sign(new)
        #expect(both.verify(newToken) == new)

        try state.removeKey(1)
        let rest = try state.loadKeys()
        #expect(rest.verify(token) == nil)
        #expect(rest.verify(newToken) == new)
        #expect(throws: StartError.self) { try state.removeKey(1) }
        #expect(throws: StartError.self) { try state.removeKey(2) }
        #expect(try state.loadKeys() == rest)
    }
}
