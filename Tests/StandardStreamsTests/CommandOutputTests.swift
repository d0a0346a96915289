import Glibc
import Testing

@testable import StandardStreams

/// Everything printed is written, or an error.
@Suite struct CommandOutputTests {
    private static func opened(_ path: String, _ flags: Int32) throws -> Int32 {
        let descriptor = open(path, flags | O_CLOEXEC, 0o600)
        return try #require(descriptor >= 0 ? descriptor : nil)
    }

    private static func pipe() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `a full disk, a descriptor to read from and one that is not open are told apart`() throws {
        let full = try Self.opened("/dev/full", O_WRONLY)
        let readOnly = try Self.opened("/dev/null", O_RDONLY)
        defer { for descriptor in [full, readOnly] { close(descriptor) } }
        for (descriptor, code) in [(full, ENOSPC), (readOnly, EBADF), (Int32.max, EBADF)] {
            let error = #expect(throws: CommandOutput.Failure.self) { try CommandOutput.write("x\n", to: descriptor) }
            #expect(error?.code == code)
            #expect(error?.description == "standard output cannot be written: \(String(cString: strerror(code)))")
            try CommandOutput.write("", to: descriptor)  // nothing to lose
        }
    }

    @Test func `what a descriptor that does not wait has no room for is written when it has`() throws {
        let (reader, writer) = try Self.pipe()
        _ = fcntl(writer, F_SETFL, fcntl(writer, F_GETFL) | O_NONBLOCK)
        let text = String(repeating: "0123456789", count: 100_000)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Reading(reader)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { context in
                Unmanaged<Reading>.fromOpaque(context!).takeUnretainedValue().toTheEnd()
                return nil
            },
            box
        )
        try CommandOutput.write(text, to: writer)
        close(writer)
        pthread_join(thread, nil)
        let read = Unmanaged<Reading>.fromOpaque(box).takeRetainedValue()
        #expect(read.bytes.elementsEqual(text.utf8))
    }

    @Test func `a write that is cut short goes on, and its error is told`() async {
        await #expect(processExitsWith: .success) {
            // A file of this process may grow to 1,000 bytes: the first write is cut short, the second is refused.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1_000, rlim_max: 1_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let path = "/tmp/usher-o\(UInt32.random(in: 0 ... .max))"
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            unlink(path)
            do throws(CommandOutput.Failure) {
                try CommandOutput.write(String(repeating: "x", count: 5_000), to: descriptor)
            } catch {
                exit(error.code == EFBIG && lseek(descriptor, 0, SEEK_END) == 1_000 ? EXIT_SUCCESS : EXIT_FAILURE)
            }
            exit(EXIT_FAILURE)
        }
    }

    @Test func `descriptors that were closed lead nowhere, and printing to one is an error`() async {
        await #expect(processExitsWith: .success) {
            for descriptor in STDIN_FILENO...STDOUT_FILENO { close(descriptor) }
            StandardDescriptors.open()
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 0, write(STDOUT_FILENO, "x", 1) == 1 else { exit(EXIT_FAILURE) }
            let next = open("/dev/null", O_RDONLY)
            guard next > STDERR_FILENO else { exit(EXIT_FAILURE) }
            do throws(CommandOutput.Failure) { try CommandOutput.write("x") } catch {
                exit("\(error)" == "standard output is closed" ? EXIT_SUCCESS : EXIT_FAILURE)
            }
            exit(EXIT_FAILURE)
        }
    }

    @Test func `gathered lines leave in one piece, in order`() throws {
        let (reader, writer) = try Self.pipe()
        defer { for descriptor in [reader, writer] { close(descriptor) } }
        let output = GatheredOutput(to: writer)
        output.line("one")
        output.line("two")
        var bytes = [UInt8](repeating: 0, count: 100)
        _ = fcntl(reader, F_SETFL, fcntl(reader, F_GETFL) | O_NONBLOCK)
        #expect(read(reader, &bytes, bytes.count) == -1 && errno == EAGAIN)
        output.flush()
        #expect(read(reader, &bytes, bytes.count) == 8)
        #expect(bytes[..<8].elementsEqual("one\ntwo\n".utf8))
    }
}

/// All bytes of a descriptor, read on another thread.
private final class Reading: @unchecked Sendable {
    // Used by the thread until it is joined, and by the test after that.
    private let descriptor: Int32
    private(set) var bytes: [UInt8] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func toTheEnd() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(self.descriptor, &chunk, chunk.count)
            guard count > 0 else { return }
            self.bytes += chunk[..<count]
        }
    }
}
