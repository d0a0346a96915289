import Glibc

/// A file with a content, gone with its owner.
public final class TemporaryFile {
    public let path: String

    public init(_ content: String) throws {
        self.path = "/tmp/usher-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).json"
        let descriptor = open(self.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "\(self.path) cannot be created")
        defer { close(descriptor) }
        let bytes = Array(content.utf8)
        precondition(write(descriptor, bytes, bytes.count) == bytes.count, "\(self.path) cannot be written")
    }

    deinit { unlink(self.path) }
}
