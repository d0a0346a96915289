import Configuration
import Glibc

/// The programs that members of a cluster run, by edition: the supervisor's own is 0, and each rolling restart adds the
/// one then on disk.
///
/// Each program is kept by an open descriptor, so an edition stays the same when the file is replaced again, and a
/// process that dies restarts with its own program.
final class Programs {
    private struct Program {
        let descriptor: Int32
        /// The path to execute: this process's descriptor, under a name that other processes can open.
        var path: String { "/proc/\(getpid())/fd/\(self.descriptor)" }
    }

    /// The file that this process was started from, where the next edition is expected. Nil where there is no /proc.
    let path: String?
    private var later: [Int: Program] = [:]

    init() {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        self.path = count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    deinit { for program in self.later.values { close(program.descriptor) } }

    /// The path to execute for a member of this edition.
    func executable(of edition: Int) -> String { self.later[edition]?.path ?? "/proc/self/exe" }

    /// Adds the program now on disk. Refused when the file is missing or not executable.
    func add(_ edition: Int) throws(StartError) {
        guard let path = self.path else {
            throw StartError("the path of this program is not known", remedy: "mount /proc")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, access(path, X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw StartError(
                "the program \(path) can't be run: \(reason)",
                remedy: "put a new program there; move it into place rather than overwriting the old one"
            )
        }
        self.later[edition] = Program(descriptor: descriptor)
    }

    /// Closes all editions but these.
    func keep(_ editions: Set<Int>) {
        for (edition, program) in self.later where !editions.contains(edition) {
            close(program.descriptor)
            self.later[edition] = nil
        }
    }
}
