import Configuration
import Glibc

/// The programs that members of a cluster run, by generation: the supervisor's own is 0, and each rolling restart adds the
/// one then on disk.
///
/// Each program is kept by an open descriptor, so a generation stays the same when the file is replaced again, and a
/// process that dies restarts with its own program.
final class Binaries {
    private struct Program {
        let descriptor: Int32
        /// The path to execute: this process's descriptor, under a name that other processes can open.
        var path: String { "/proc/\(getpid())/fd/\(self.descriptor)" }
    }

    /// The file that this process was started from, where the next generation is expected. Nil where there is no /proc.
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

    /// The path to execute for a member of this generation.
    func executable(of generation: Int) -> String { self.later[generation]?.path ?? "/proc/self/exe" }

    /// Adds the program now on disk. Refused when the file is missing or not executable.
    func add(_ generation: Int) throws(StartError) {
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
        self.later[generation] = Program(descriptor: descriptor)
    }

    /// Closes all generations but these.
    func keep(_ generations: Set<Int>) {
        for (generation, program) in self.later where !generations.contains(generation) {
            close(program.descriptor)
            self.later[generation] = nil
        }
    }
}
