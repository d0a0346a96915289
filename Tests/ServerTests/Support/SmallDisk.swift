import Foundation
import Glibc

/// A file system of its own in memory, small enough to be filled; gone with this object. Needs the right to mount, which
/// root has, and others who may become root by `sudo` without a password; in a container both may lack it.
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
            let options = "size=\(mebibytes)m,mode=0700,uid=\(geteuid()),gid=\(getegid())"
            if geteuid() != 0, Self.asRoot(["mount", "-t", "tmpfs", "-o", options, "none", path]) { return }
            rmdir(path)
            throw Failure(description: "a tmpfs can't be mounted here: \(reason)")
        }
    }

    deinit {
        if umount2(self.path, Int32(MNT_DETACH)) != 0 { _ = Self.asRoot(["umount", "--lazy", self.path]) }
        rmdir(self.path)
    }

    /// Whether a command could be run by `sudo`, and went well. Never asks for a password.
    private static func asRoot(_ command: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sudo", "-n"] + command
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
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
