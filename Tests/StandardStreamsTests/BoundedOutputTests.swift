import Glibc
import Testing

@testable import StandardStreams

/// Lines for readers that are slow, or gone.
@Suite struct BoundedOutputTests {
    private static let notice: @Sendable (UInt64) -> String = { "dropped \($0)\n" }

    private final class Pipe {
        let reader: Int32
        let writer: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (self.reader, self.writer) = (ends[0], ends[1])
        }

        deinit { for end in [self.reader, self.writer] { close(end) } }

        /// Reads until `isEnough`.
        func read(until isEnough: (String) -> Bool) -> String {
            var text = ""
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while !isEnough(text) {
                let count = Glibc.read(self.reader, &chunk, chunk.count)
                guard count > 0 else { break }
                text += String(decoding: chunk[..<count], as: UTF8.self)
            }
            return text
        }
    }

    private static func line(_ number: Int) -> String { "line \(number) " + String(repeating: "x", count: 80) + "\n" }

    @Test func `lines leave in order, and a flush waits for them`() throws {
        let pipe = try Pipe()
        let output = try #require(BoundedOutput(to: pipe.writer, bytesMax: 1 << 20, notice: Self.notice))
        let text = (0..<100).map(Self.line).joined()
        for number in 0..<100 { output.add(Self.line(number).utf8, count: Self.line(number).utf8.count) }
        output.flush(milliseconds: 60_000)
        #expect(pipe.read { $0.utf8.count >= text.utf8.count } == text)
        #expect(output.droppedLines == 0)
    }

    @Test func `a reader that hangs costs lines and no time, and is told how many when it reads again`() throws {
        let pipe = try Pipe()
        let output = try #require(BoundedOutput(to: pipe.writer, bytesMax: 4_096, notice: Self.notice))
        // The pipe, the waiting lines, and the thread's current piece are less than these.
        let count = 4_000
        for number in 0..<count { output.add(Self.line(number).utf8, count: Self.line(number).utf8.count) }
        let dropped = output.droppedLines
        #expect(dropped > 0)
        // It returns in time, however long the reader hangs.
        output.flush(milliseconds: 1)
        // Each line is written, or reported where it is missing.
        let text = pipe.read { $0.hasSuffix("\n") && Self.lineCount($0) == count }
        #expect(output.droppedLines == dropped)
        var next = 0
        for line in text.split(separator: "\n") {
            if line.hasPrefix("dropped ") {
                next += Int(line.dropFirst(8)) ?? 0
            } else {
                #expect(line + "\n" == Self.line(next))
                next += 1
            }
        }
        #expect(next == count)
    }

    /// With dropped ones.
    private static func lineCount(_ text: String) -> Int {
        text.split(separator: "\n").reduce(0) { $0 + ($1.hasPrefix("dropped ") ? Int($1.dropFirst(8)) ?? 0 : 1) }
    }

    @Test func `a reader that is gone is like one that hangs`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0, close(ends[0]) == 0,
                let output = BoundedOutput(to: ends[1], bytesMax: 4_096, notice: { "dropped \($0)\n" })
            else { exit(EXIT_FAILURE) }
            output.add("a\nb\n".utf8, count: 4)
            output.flush(milliseconds: 60_000)
            exit(output.droppedLines == 2 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test func `a socket takes lines whole or not at all, and tells what it missed`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var output = SocketOutput(descriptor: ends[0])
        output.notice = Self.notice
        // Longer than the socket accepts in one piece.
        let long = String(repeating: "y", count: 1 << 20) + "\n"
        output.add(Array(long.utf8))
        var count = 0
        while output.droppedLines == 0 {
            output.add(Array(Self.line(count).utf8))
            count += 1
        }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        func readAll() {
            while true {
                let count = recv(ends[1], &chunk, chunk.count, Int32(MSG_DONTWAIT))
                guard count > 0 else { return }
                text += chunk[..<count]
            }
        }
        // Each line first sends the rest of the long one.
        while !text.contains(UInt8(ascii: "\n")) {
            readAll()
            output.add(Array("short\n".utf8))
        }
        readAll()
        output.add(Array("last\n".utf8))
        readAll()
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(lines.first?.utf8.count == 1 << 20)
        #expect(lines.last == "last")
        let told = lines.compactMap { $0.hasPrefix("dropped ") ? UInt64($0.dropFirst(8)) : nil }
        #expect(told.reduce(0, +) == output.droppedLines)
        #expect(
            lines.dropFirst().allSatisfy {
                $0 == "short" || $0 == "last" || $0.hasPrefix("line ") || $0.hasPrefix("dropped ")
            }
        )
    }
}
