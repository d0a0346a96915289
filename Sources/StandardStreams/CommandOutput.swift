import Glibc

/// The output of commands: every byte reaches standard output, or the command fails.
///
/// `print` buffers text and never reports a failed write, so an export to a full disk ends with success in the middle
/// of a line. Here each failure (a full disk, a closed descriptor, an input/output error, a short write) ends the
/// process with status 1 and a sentence on standard error. When the reader is gone (`| head`), the process ends quietly
/// by SIGPIPE as usual; if SIGPIPE was ignored at the start, it is an error like the others.
public enum CommandOutput {
    /// Why standard output failed.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// An error number (errno(3)).
        public let code: Int32
        let wasClosed: Bool

        public var description: String {
            self.wasClosed
                ? "standard output is closed"
                : "standard output cannot be written: \(String(cString: strerror(self.code)))"
        }
    }

    /// Prints a line at once.
    public static func line(_ text: String) { self.text(text + "\n") }

    /// Prints text at once, unchanged.
    public static func text(_ text: String) { self.orEnd { () throws(Failure) in try self.write(text) } }

    /// Prints the outcome of a change already made. If it can't be printed, the failure on standard error has it.
    public static func outcome(_ text: String) {
        do throws(Failure) { try self.write(text + "\n") } catch { self.end(error, "the change was made: \(text)") }
    }

    /// Prints text at once, and throws instead of ending the process.
    public static func write(_ text: String) throws(Failure) { try self.write(text, to: STDOUT_FILENO) }

    /// Prints a server's announcement on a thread of its own: a server neither waits for its reader nor ends without
    /// one. False where the system allows no more threads.
    public static func announce(_ text: String) -> Bool {
        let output = BoundedOutput(
            to: STDOUT_FILENO,
            bytesMax: StandardError.waitingBytesMax,
            notice: StandardError.plainNotice
        )
        output?.add(text.utf8, count: text.utf8.count)
        return output != nil
    }

    /// Writes to any descriptor, for tests.
    static func write(_ text: String, to descriptor: Int32) throws(Failure) {
        guard !text.isEmpty else { return }
        guard !StandardDescriptors.wasClosed(descriptor) else { throw Failure(code: EBADF, wasClosed: true) }
        var text = text
        let code = text.withUTF8 { StandardDescriptors.write(UnsafeRawBufferPointer($0), to: descriptor).code }
        guard code == 0 else { throw Failure(code: code, wasClosed: false) }
    }

    /// Closes standard output: a network disk may report only now that it could not store something. Nothing is printed
    /// afterwards.
    public static func finish() {
        guard close(STDOUT_FILENO) != 0, errno != EBADF, errno != EINTR else { return }
        self.end(Failure(code: errno, wasClosed: false))
    }

    /// Ends the process because standard output failed. `note` goes to standard error too.
    public static func end(_ failure: Failure, _ note: String = "the output is incomplete") -> Never {
        if failure.code == EPIPE, !StandardDescriptors.reportsBrokenPipes { self.dieOfBrokenPipe() }
        StandardError.write("Error: \(failure); \(note)\n")
        StandardError.flush()
        exit(EXIT_FAILURE)
    }

    private static func dieOfBrokenPipe() -> Never {
        signal(SIGPIPE, SIG_DFL)
        var broken = sigset_t()
        sigemptyset(&broken)
        sigaddset(&broken, SIGPIPE)
        pthread_sigmask(SIG_UNBLOCK, &broken, nil)
        raise(SIGPIPE)
        _exit(128 + SIGPIPE)  // the status that a shell reports
    }

    fileprivate static func orEnd(_ body: () throws(Failure) -> Void) {
        do throws(Failure) { try body() } catch { self.end(error) }
    }
}

/// Text for standard output, written 64 KiB at a time: for commands that print millions of lines.
public final class GatheredOutput {
    private static let bytes = 65_536
    private let descriptor: Int32
    private var text = ""

    public convenience init() { self.init(to: STDOUT_FILENO) }

    init(to descriptor: Int32) { self.descriptor = descriptor }

    /// Adds a line.
    public func line(_ text: String) {
        self.text += text
        self.text += "\n"
        if self.text.utf8.count >= Self.bytes { self.flush() }
    }

    /// Writes the gathered text. Must be called at the end, even if the command fails.
    public func flush() {
        CommandOutput.orEnd { () throws(CommandOutput.Failure) in
            try CommandOutput.write(self.text, to: self.descriptor)
        }
        self.text = ""
    }

    deinit { precondition(self.text.isEmpty, "lines were gathered and not written") }
}
