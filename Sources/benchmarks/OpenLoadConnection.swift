import DequeModule
import Glibc
import Reactor

/// One connection of an open load: answers come in the order of the requests.
final class OpenLoadConnection {
    private let connection: Connection
    private var underway = Deque<OpenLoad.Underway>()
    /// The start of an answer whose end has not come.
    private var kept: [UInt8] = []

    /// With the request, the status, and all bytes of the answer.
    var onAnswer: ((OpenLoad.Underway, Int, UnsafeRawBufferPointer) -> Void)?
    var onEnd: (() -> Void)?

    init(_ connection: Connection) {
        self.connection = connection
        connection.onRead = { [unowned self] in self.received($0) }
        connection.onEnd = { [unowned self] _ in self.onEnd?() }
        connection.startReading()
    }

    func send(_ bytes: [UInt8], _ request: OpenLoad.Underway) {
        self.underway.append(request)
        self.connection.append(bytes)
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        guard !self.kept.isEmpty else {
            let taken = self.takeAnswers(bytes)
            if taken < bytes.count { self.kept = Array(bytes[taken...]) }
            return
        }
        self.kept.append(contentsOf: bytes)
        let kept = self.kept
        let taken = kept.withUnsafeBytes { self.takeAnswers($0) }
        self.kept = taken == kept.count ? [] : Array(kept[taken...])
    }

    /// Takes all whole answers; how many bytes those were.
    private func takeAnswers(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while let end = self.endOfAnswer(bytes, from: start) {
            let status = (9..<12).reduce(0) { $0 * 10 + Int(bytes[start + $1] - UInt8(ascii: "0")) }
            guard let request = self.underway.popFirst() else { fatalError("an answer to nothing") }
            self.onAnswer?(request, status, UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            start = end
        }
        return start
    }

    private static let length: StaticString = "Content-Length: "

    /// Line by line; the server measured here sends this one name, in this case, in each answer.
    private func endOfAnswer(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var (line, length) = (start, 0)
        while line < bytes.count, let found = memchr(base + line, 10, bytes.count - line) {
            let next = UnsafeRawPointer(found) - base + 1
            if next - line == 2 { return next + length <= bytes.count ? next + length : nil }
            if next - line > Self.length.utf8CodeUnitCount,
                memcmp(base + line, Self.length.utf8Start, Self.length.utf8CodeUnitCount) == 0
            {
                var at = line + Self.length.utf8CodeUnitCount
                while bytes[at] >= 0x30 {
                    length = length * 10 + Int(bytes[at] - 0x30)
                    at += 1
                }
            }
            line = next
        }
        return nil
    }
}
