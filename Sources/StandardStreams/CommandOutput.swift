import Glibc

/// What commands print: every byte reaches standard output, or the command fails.
///
/// `print` keeps text in a buffer and never reports that it could not be written, so an export to a full disk ends with
/// success in the middle of a line. Here each failure (a full disk, a closed descriptor, an input/output error, a short
/// write) ends the process with status 1 and a sentence on standard error. A reader that is gone (`| head`) ends it
/// quietly, by SIGPIPE as usual; where SIGPIPE was ignored at the start, it is an error like the others.
public enum CommandOutput {
    /// Why standard output did not take everything.
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

    /// Prints text at once, as it is.
    public static func text(_ text: String) { self.orEnd { () throws(Failure) in try self.write(text) } }

    /// Prints the outcome of a change that is made whether or not it can be told. When it can't be printed, standard error
    /// has it with the failure.
    public static func outcome(_ text: String) {
        do throws(Failure) { try self.write(text + "\n") } catch { self.end(error, "done all the same: \(text)") }
    }

    /// Prints text at once, and throws instead of ending the process.
    public static func write(_ text: String) throws(Failure) { try self.write(text, to: STDOUT_FILENO) }

    /// Prints what a server says once, on a thread of its own: a server does not wait for whoever reads it, nor end when
    /// nobody can. False where the system allows no more threads.
    public static func announce(_ text: String) -> Bool {
        let output = BoundedOutput(
            to: STDOUT_FILENO,
            bytesMax: StandardError.waitingBytesMax,
            notice: StandardError.plainNotice
        )
        output?.add(text.utf8, count: text.utf8.count)
        return output != nil
    }

    /// To another descriptor, for tests.
    static func write(_ text: String, to descriptor: Int32) throws(Failure) {
        guard !text.isEmpty else { return }
        guard !StandardDescriptors.wasClosed(descriptor) else { throw Failure(code: EBADF, wasClosed: true) }
        var text = text
        let code = text.withUTF8 { StandardDescriptors.write(UnsafeRawBufferPointer($0), to: descriptor).code }
        guard code == 0 else { throw Failure(code: code, wasClosed: false) }
    }

    /// Closes standard output: a disk in the network may refuse only now what it seemed to take. Nothing is printed after it.
    public static func finish() {
        guard close(STDOUT_FILENO) != 0, errno != EBADF, errno != EINTR else { return }
        self.end(Failure(code: errno, wasClosed: false))
    }

    /// Ends the process because standard output failed. `note` is told on standard error too.
    public static func end(_ failure: Failure, _ note: String = "what was printed is not whole") -> Never {
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
        _exit(128 + SIGPIPE)  // what a shell would say
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

    /// Writes what was gathered. Has to be called at the end, also of a command that fails.
    public func flush() {
        CommandOutput.orEnd { () throws(CommandOutput.Failure) in
            try CommandOutput.write(self.text, to: self.descriptor)
        }
        self.text = ""
    }

    deinit { precondition(self.text.isEmpty, "lines were gathered and not written") }
}
