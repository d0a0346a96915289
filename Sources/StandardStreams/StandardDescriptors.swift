import Glibc
import Synchronization

/// Descriptors 0, 1 and 2, and the disposition of SIGPIPE, as this process inherited them.
public enum StandardDescriptors {
    /// A bit for each descriptor that was closed.
    private static let closed = Atomic<UInt8>(0)
    private static let ignoresBrokenPipes = Atomic<Bool>(false)

    /// Opens `/dev/null` at each closed one of the three: otherwise the next opened file takes its number, and output
    /// lands in it. Must come before the program opens any other file. Remembers which were closed, since printing to
    /// them loses the output.
    public static func open() {
        var action = sigaction()
        if sigaction(SIGPIPE, nil, &action) == 0 {
            let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            Self.ignoresBrokenPipes.store(handler == unsafeBitCast(SIG_IGN, to: Int.self), ordering: .relaxed)
        }
        // In this order: a new descriptor gets the lowest free number.
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            Self.closed.bitwiseOr(1 << UInt8(descriptor), ordering: .relaxed)
            // Without /dev (a bare container) a folder serves: writing to it fails.
            if Glibc.open("/dev/null", O_RDWR) < 0 { _ = Glibc.open("/", O_RDONLY | O_DIRECTORY) }
        }
    }

    /// Whether `open()` found the descriptor closed.
    static func wasClosed(_ descriptor: Int32) -> Bool {
        (0..<3).contains(descriptor) && Self.closed.load(ordering: .relaxed) & 1 << UInt8(descriptor) != 0
    }

    /// Whether SIGPIPE was ignored at the start, so that a broken pipe is an error to report and not the usual death.
    static var reportsBrokenPipes: Bool { Self.ignoresBrokenPipes.load(ordering: .relaxed) }

    /// Writes all of `bytes`, however long it takes. Returns a failure's error number, and the number of bytes written.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> (code: Int32, written: Int) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count > 0 {
                written += count
            } else if count == 0 {
                return (EIO, written)
            } else if errno == EAGAIN {
                // Another owner has made it non-blocking; this waits all the same.
                var one = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&one, 1, -1)
            } else if errno != EINTR {
                return (errno, written)
            }
        }
        return (0, written)
    }
}
