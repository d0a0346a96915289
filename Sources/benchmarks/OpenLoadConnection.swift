import DequeModule
import Reactor

/// One connection of a load: answers come in the order of the requests. `Underway` is the load's record of each
/// request.
final class OpenLoadConnection<Underway> {
    private let connection: Connection
    private var underway = Deque<Underway>()
    /// The start of an answer that is incomplete.
    private var kept: [UInt8] = []

    /// With the request, the status, and all bytes of the answer.
    var onAnswer: ((Underway, Int, UnsafeRawBufferPointer) -> Void)?
    var onEnd: (() -> Void)?

    init(_ connection: Connection) {
        self.connection = connection
        connection.onRead = { [unowned self] in self.received($0) }
        connection.onEnd = { [unowned self] _ in self.onEnd?() }
        connection.startReading()
    }

    func send(_ bytes: [UInt8], _ request: Underway) {
        self.underway.append(request)
        self.connection.append(bytes)
    }

    /// The same without a copy: `fill` writes into `capacity` bytes, and returns the number written.
    func send(_ request: Underway, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        self.underway.append(request)
        self.connection.append(capacity: capacity, fill)
    }

    private func received(_ bytes: UnsafeRawBufferPointer) {
        guard !self.kept.isEmpty else {
            let taken = self.readAnswers(bytes)
            if taken < bytes.count { self.kept = Array(bytes[taken...]) }
            return
        }
        self.kept.append(contentsOf: bytes)
        let kept = self.kept
        let taken = kept.withUnsafeBytes { self.readAnswers($0) }
        self.kept = taken == kept.count ? [] : Array(kept[taken...])
    }

    /// Takes all complete answers; returns their bytes.
    private func readAnswers(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while let end = HTTPAnswer.end(of: bytes, from: start) {
            let status = HTTPAnswer.status(of: bytes, from: start)
            guard let request = self.underway.popFirst() else { fatalError("an answer to nothing") }
            self.onAnswer?(request, status, UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            start = end
        }
        return start
    }
}
