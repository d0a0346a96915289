import Glibc
import Journal

/// Mutual exclusion: an exclusive lock on a file of its own, which the kernel releases when its process ends in any
/// way. The file stays, with the id of the last owner: removing it would let two processes hold locks of two files with
/// one name.
final class OwnerLock {
    private let descriptor: Int32

    /// Refused, naming the holder, while another process has it, or this one through another lock. `path` is the lock's
    /// file, `file` the protected one.
    init(_ path: String, of file: String) throws(JournalError) {
        let descriptor = try PlainFile.open(path, O_RDWR | O_CREAT)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let failure = PlainFile.failure(path, "flock")
            close(descriptor)
            throw isHeld ? .inUse(file: file, by: Self.holder(path)) : failure
        }
        self.descriptor = descriptor
        let text = Array("\(getpid())\n".utf8)
        // Only for people to read: the lock does not depend on it.
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    deinit { close(self.descriptor) }

    private static func holder(_ path: String) -> Int32? {
        guard let bytes = try? PlainFile.read(path) else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}
