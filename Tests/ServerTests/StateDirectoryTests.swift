import Foundation
import Glibc
import Testing

@testable import Server

@Suite struct StateDirectoryTests {
    @Test func `a folder is made for its owner alone, and found again`() throws {
        let state = TestCluster.freshState()
        defer { rmdir(state.path) }
        try state.prepare()
        try state.prepare()
        var status = stat()
        #expect(stat(state.path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o700)
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

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away")) func `another user's folder is refused`()
        throws
    {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { rmdir(state.path) }
        chown(state.path, 12_345, 12_345)
        let error = #expect(throws: StartError.self) { try state.prepare() }
        #expect(
            error?.description == "the state folder \(state.path) belongs to user 12345, and this is user 0; "
                + "run as its owner, or choose another folder with --state"
        )
    }

    @Test func `keys are made once, for their owner alone, and a spoilt file is refused without its content`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let ring = try state.loadOrCreateKeys(nowSeconds: 1_767_193_200)
        #expect(try state.loadOrCreateKeys(nowSeconds: 1_800_000_000) == ring)
        var status = stat()
        #expect(stat(state.keyFile, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: state.path) == ["token.keys"])
        try TextFile.write(Array("1 1767193200 c2VjcmV0\n".utf8), to: state.keyFile)
        let error = #expect(throws: StartError.self) { try state.loadOrCreateKeys(nowSeconds: 0) }
        #expect(error?.problem.contains("line 1") == true)
        #expect(error?.description.contains("c2VjcmV0") == false)
    }
}
