import Configuration
import Glibc
import Reactor
import Wire

/// Lines to be written to the file.
final class AccessLogBlock: @unchecked Sendable {
    // Used by one thread at a time: the loop's until it is handed over, the pool's until it is returned; the pool's own
    // lock orders the two.
    var bytes: OutputBytes
    var lines = 0

    init(capacity: Int) { self.bytes = OutputBytes(capacity: capacity) }
}

/// The access log's file. Several gateways append whole blocks of lines to the same file.
final class AccessLogFile: @unchecked Sendable {
    // Used by one task at a time, as one block at a time is handed over.
    private let path: String
    private var descriptor: Int32 = -1
    private var opened: FileStatus?
    /// The last write stopped inside a line.
    private var isLineOpen = false

    /// The result of writing a block.
    struct Written: Sendable {
        /// Lines written completely.
        var lines: Int
        var trouble: FileError?
    }

    init(path: String) { self.path = path }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    /// Blocks for as long as the disk takes.
    func write(_ block: AccessLogBlock) -> Written {
        do throws(FileError) {
            try self.open()
        } catch {
            return Written(lines: 0, trouble: error)
        }
        // Ends a truncated line, so that the next one is whole.
        if self.isLineOpen, Glibc.write(self.descriptor, "\n", 1) == 1 { self.isLineOpen = false }
        let bytes = block.bytes.view.bytes
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(self.descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let trouble = FileError(self.path, "cannot be written", errno)
                self.isLineOpen = written > 0 && bytes[written - 1] != UInt8(ascii: "\n") || self.isLineOpen
                let lines = bytes[..<written].reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
                return Written(lines: lines, trouble: trouble)
            }
            written += count
        }
        return Written(lines: block.lines)
    }

    /// Opens the file if none is open, or if the path now names another file.
    private func open() throws(FileError) {
        if self.descriptor >= 0 {
            if let opened, let found = FileStatus(self.path), found.isSameFile(as: opened) { return }
            close(self.descriptor)
            self.isLineOpen = false
        }
        // Readable for its group: the machine's administrators read it.
        self.descriptor = Glibc.open(self.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard self.descriptor >= 0 else { throw FileError(self.path, "cannot be opened", errno) }
        self.opened = FileStatus(descriptor: self.descriptor)
    }
}
