import Reactor

/// Connections beyond the limit: each was sent a refusal, and has a moment to read it.
///
/// Most peers are sending their request by then. An immediate close resets the connection, and a client whose sending
/// fails never reads the answer. So this side stops sending, drops what arrives, and closes when the peer ends its side
/// or the moment is over. Their number is bounded; beyond it connections are closed at once.
final class RejectedConnections {
    private static let lingerNanoseconds: UInt64 = 2_000_000_000

    private let countMax: Int
    private var lingering: [ObjectIdentifier: (connection: Connection, since: UInt64)] = [:]

    init(countMax: Int) { self.countMax = countMax }

    /// Sends `words` and then closes. `now` is in nanoseconds, as for `sweep`.
    func reject(_ connection: Connection, saying words: String, at now: UInt64) {
        connection.append(words)
        guard self.lingering.count < self.countMax else { return connection.closeAfterFlush() }
        let key = ObjectIdentifier(connection)
        self.lingering[key] = (connection, now)
        connection.onClose = { [unowned self] in self.lingering[key] = nil }
        connection.shutdown()
        connection.startReading()
    }

    /// Closes connections whose moment is over.
    func sweep(at now: UInt64) {
        for (connection, since) in Array(self.lingering.values) where now > since + Self.lingerNanoseconds {
            connection.close()
        }
    }

    func close() {
        for (connection, _) in Array(self.lingering.values) { connection.close() }
    }
}
