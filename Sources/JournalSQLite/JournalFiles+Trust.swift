import CSQLite
import Glibc
import Journal

/// The owner and modes that a journal's files need before they are trusted: a file's owner can write to it, and its
/// hashes are a checksum that anyone can compute. Write access means the power to sell seats.
extension JournalFiles {
    enum Access {
        /// The shard, and commands that change its files.
        case owner
        /// Verifying, exporting, auditing: also by root, in another user's folder.
        case reader
    }

    /// Refuses files that belong to another user than this one, or that others may write to; also anything but a
    /// regular file, as reading a pipe would block. A link counts as its target. Missing files are accepted.
    func refuseUntrusted(_ access: Access) throws(JournalError) {
        try self.refuseUntrusted(self.directory, access, isFolder: true)
        let plain = [self.snapshot, self.head, self.lock, self.compactionLock, Self.begunMark(in: self.state)]
        let databases = [self.database, self.archive].flatMap { ["\($0)", "\($0)-wal", "\($0)-shm"] }
        for path in plain + databases { try self.refuseUntrusted(path, access, isFolder: false) }
    }

    private func refuseUntrusted(_ path: String, _ access: Access, isFolder: Bool) throws(JournalError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw PlainFile.failure(path, "stat")
        }
        let user = geteuid()
        guard status.st_mode & S_IFMT == (isFolder ? S_IFDIR : S_IFREG) else {
            throw .untrusted(
                file: path,
                reason: "is no \(isFolder ? "folder" : "regular file")",
                remedy: "find out where it came from, and restore the journal's files from a copy"
            )
        }
        guard status.st_uid == user || access == .reader && user == 0 else {
            throw .untrusted(
                file: path,
                reason: "belongs to user \(status.st_uid), and this is user \(user)",
                remedy: "run as its owner, or chown \(user) \(path) and verify the journal: \(self.verifyCommand)"
            )
        }
        guard status.st_mode & 0o022 == 0 else {
            throw .untrusted(
                file: path,
                reason:
                    "may be written by others (mode \(String(status.st_mode & 0o7777, radix: 8))), who could change what "
                    + "was sold",
                remedy: "chmod go-w \(path), and verify the journal: \(self.verifyCommand)"
            )
        }
    }
}
