public import Reactor
public import Wire

/// Answers tools on a process's Unix socket: hello, ping, stats. Anything else is refused with a goodbye.
///
/// Lives as long as its connection; whoever accepted that keeps nothing.
public final class StatsResponder {
    private let connection: Connection
    private let hello: Hello
    private let stats: () -> String
    private var decoder = FrameDecoder()

    /// Takes over a connection that was just accepted. `stats` gives the JSON to answer with.
    public init(_ connection: Connection, hello: Hello, stats: @escaping () -> String) {
        self.connection = connection
        self.hello = hello
        self.stats = stats
        // The connection keeps this object by its closure, and drops that when it is closed.
        connection.onRead = { self.read($0) }
        connection.startReading()
    }

    private func read(_ bytes: UnsafeRawBufferPointer) {
        do throws(WireError) {
            try self.decoder.feed(bytes) { (frame) throws(WireError) in
                guard case .control = frame.sort else { throw WireError("this socket answers statistics only") }
                try self.take(Control(frame: frame), frame.header.requestID)
            }
        } catch {
            // Too long for a frame is the only failure of encoding, and a goodbye never is.
            try? self.send(.goodbye(reason: "\(error)"), 0)
            self.connection.closeAfterFlush()
        }
    }

    private func take(_ control: Control, _ requestID: UInt64) throws(WireError) {
        switch control {
        case .hello: try self.send(.helloAccepted(self.hello), requestID)
        case .ping: try self.send(.pong, requestID)
        case .stats: try self.send(.statsAnswer(self.stats()), requestID)
        case .goodbye: self.connection.closeAfterFlush()
        case .otherVersion(let version):
            throw WireError("this is protocol version \(FrameLimits.protocolVersion), and you speak \(version)")
        case .helloAccepted, .pong, .statsAnswer, .unknownKind: throw WireError("an answer without a question")
        }
    }

    private func send(_ control: Control, _ requestID: UInt64) throws(WireError) {
        var bytes = FrameBytes()
        try control.encode(into: &bytes, requestID: requestID)
        bytes.withUnsafeBytes { self.connection.append($0) }
    }
}
