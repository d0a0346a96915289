import Foundation
import Glibc

/// A file system of its own in memory, small enough to be filled; gone with this object. Needs the right to mount, which
/// a container may not have.
final class SmallDisk {
    let path: String
    private var filler: String { "\(self.path)/filler" }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Nil when mounting works here, or why it does not.
    static let refusal: String? = {
        do {
            _ = try SmallDisk(mebibytes: 1)
            return nil
        } catch { return "\(error)" }
    }()

    init(mebibytes: Int) throws {
        let path = "/tmp/usher-d\(UInt32.random(in: 0 ... .max))"
        self.path = path
        guard mkdir(path, 0o700) == 0 else { throw Failure(description: "mkdir: \(String(cString: strerror(errno)))") }
        guard mount("none", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            let reason = String(cString: strerror(errno))
            rmdir(path)
            throw Failure(description: "a tmpfs can't be mounted here: \(reason)")
        }
    }

    deinit {
        umount2(self.path, Int32(MNT_DETACH))
        rmdir(self.path)
    }

    /// Takes every byte that is left.
    func fill() throws {
        let file = open(self.filler, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw Failure(description: "open: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        for size in [65_536, 4_096, 1] {
            let bytes = [UInt8](repeating: 0, count: size)
            while write(file, bytes, size) == size {}
        }
        guard errno == ENOSPC else { throw Failure(description: "write: \(String(cString: strerror(errno)))") }
    }

    /// Gives back what `fill` took.
    func makeRoom() { unlink(self.filler) }
}
