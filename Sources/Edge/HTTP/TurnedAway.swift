import Reactor

/// Connections that there is no room for: each was told so, and is given a moment to hear it.
///
/// Most peers are sending their request by then. Closing under them resets the connection, and a client whose sending
/// fails never looks for the answer. So our side ends, what still comes is dropped, and the connection closes when
/// the peer ends its side or the moment is over. There is room for so many only; beyond it they are closed at once.
final class TurnedAway {
    private static let lingerNanoseconds: UInt64 = 2_000_000_000

    private let countMax: Int
    private var lingering: [ObjectIdentifier: (connection: Connection, since: UInt64)] = [:]

    init(countMax: Int) { self.countMax = countMax }

    /// Says `words` and lets go. `now` is in nanoseconds, as for `sweep`.
    func take(_ connection: Connection, saying words: String, at now: UInt64) {
        connection.append(words)
        guard self.lingering.count < self.countMax else { return connection.closeAfterFlush() }
        let key = ObjectIdentifier(connection)
        self.lingering[key] = (connection, now)
        connection.onClose = { [unowned self] in self.lingering[key] = nil }
        connection.shutdown()
        connection.startReading()
    }

    /// Closes those whose moment is over.
    func sweep(at now: UInt64) {
        for (connection, since) in Array(self.lingering.values) where now > since + Self.lingerNanoseconds {
            connection.close()
        }
    }

    func close() {
        for (connection, _) in Array(self.lingering.values) { connection.close() }
    }
}
