import Configuration
import Glibc

/// The programs that members of a cluster run, by edition: the supervisor's own is 0, and each rolling restart brings the
/// one that lies on the disk then.
///
/// A program is kept by an open descriptor, so an edition stays what it was when the file is replaced once more, and a
/// process that dies is started again with the program that it had.
final class Programs {
    private struct Program {
        let descriptor: Int32
        /// What to execute: our descriptor, as everybody may name it.
        var path: String { "/proc/\(getpid())/fd/\(self.descriptor)" }
    }

    /// Where this program was started from: where the next edition will be. Nil where there is no /proc.
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

    /// What to execute for a member of this edition.
    func executable(of edition: Int) -> String { self.later[edition]?.path ?? "/proc/self/exe" }

    /// Takes the program that lies on the disk now. Refused when there is none that may be run.
    func add(_ edition: Int) throws(StartError) {
        guard let path = self.path else {
            throw StartError("where this program lies is not known", remedy: "mount /proc")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, access(path, X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw StartError(
                "the program \(path) can't be run: \(reason)",
                remedy: "put the new one there, and move it into place rather than writing over the old one"
            )
        }
        self.later[edition] = Program(descriptor: descriptor)
    }

    /// Lets go of all editions but these.
    func keep(_ editions: Set<Int>) {
        for (edition, program) in self.later where !editions.contains(edition) {
            close(program.descriptor)
            self.later[edition] = nil
        }
    }
}
