import Glibc

/// Excludes other processes while a file of a folder is read, changed and written: an exclusive lock on the folder
/// itself, which the kernel releases when its process is gone. Only for commands: it waits.
enum FolderLock {
    /// A change takes milliseconds: a holder that keeps the lock longer is hung.
    private static let attemptsMax = 500
    private static let pauseMicroseconds: UInt32 = 20_000

    /// Runs `body` while no other process changes a file of the same folder. Refused after ten seconds of waiting.
    static func alone<Result>(
        with path: String,
        _ body: () throws(StartError) -> Result
    ) throws(StartError) -> Result {
        let folder = Self.folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw StartError("the folder \(folder) cannot be opened: \(reason)", remedy: "make it, or name another")
        }
        defer { close(descriptor) }
        for _ in 0..<Self.attemptsMax {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return try body() }
            usleep(Self.pauseMicroseconds)
        }
        throw StartError(
            "another process is changing files in \(folder)",
            remedy: "try again, or end that process (fuser \(folder) names it)"
        )
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
