import Glibc
import Reactor
import Testing

@Suite struct FileStatusTests {
    @Test func `a file is known by its number, its size, its owner and its mode`() throws {
        let path = "/tmp/usher-f\(UInt32.random(in: 0 ... .max))"
        let file = open(path, O_CREAT | O_WRONLY, 0o640)
        defer {
            close(file)
            unlink(path)
        }
        chmod(path, 0o640)
        let before = try #require(FileStatus(path))
        #expect(before.size == 0 && before.mode == 0o640 && before.user == geteuid() && !before.isFolder)
        #expect(write(file, "abc", 3) == 3)
        let after = try #require(FileStatus(descriptor: file))
        #expect(after != before && after.size == 3 && after.isSameFile(as: before))
        let folder = try #require(FileStatus("/tmp"))
        #expect(folder.isFolder && !folder.isSameFile(as: after))
    }

    @Test func `what is not there has no status`() {
        #expect(FileStatus("/nowhere/file") == nil && FileStatus(descriptor: -1) == nil)
    }
}
