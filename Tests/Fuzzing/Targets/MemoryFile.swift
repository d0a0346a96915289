import Glibc

/// A file in memory with a path, for readers that accept only paths. One for all runs: each write replaces the content.
struct MemoryFile: Sendable {
    private let descriptor: CInt
    let path: String

    init() {
        var name = Array("/dev/shm/usher-fuzz-XXXXXX".utf8CString)
        self.descriptor = mkstemp(&name)
        precondition(self.descriptor >= 0, "a file in memory can't be made: \(String(cString: strerror(errno)))")
        // It exists as long as it is open, and leaves nothing behind.
        unlink(name)
        self.path = "/proc/self/fd/\(self.descriptor)"
    }

    func replace(with bytes: UnsafeRawBufferPointer) {
        precondition(ftruncate(self.descriptor, 0) == 0, "a file in memory can't be emptied")
        var done = 0
        while done < bytes.count {
            let count = pwrite(self.descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(done))
            precondition(count > 0, "a file in memory can't be written: \(String(cString: strerror(errno)))")
            done += count
        }
    }
}
