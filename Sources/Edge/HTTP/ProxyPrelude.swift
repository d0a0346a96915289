import Booking
import Wire

/// The bytes of a connection until the header is whole by which a trusted proxy says for whom it connects (PROXY protocol).
/// They may come in any pieces; what comes behind the header in the same piece is the connection's.
///
///     gathering ──bytes──▶ gathering ──▶ read: the client, and the bytes behind the header
///         └───────────────────┴────────▶ malformed
///
/// After `read` and `malformed` nothing is given to it any more.
struct ProxyPrelude {
    enum Outcome: Equatable {
        case needsMore
        /// It is no header: the connection has to be dropped.
        case malformed
        /// `source` is nil where the proxy speaks for itself, or can't tell: then the address of the connection counts.
        case read(source: IPAddress?, behind: ArraySlice<UInt8>)
    }

    /// What has come of the header: fewer than `ProxyHeader.bytesMax` between calls.
    private var gathered: [UInt8] = []

    mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        self.gathered.append(contentsOf: bytes)
        switch self.gathered.withUnsafeBytes({ ProxyHeader.read(ByteView($0)) }) {
        case .needsMore: return .needsMore
        case .malformed:
            self.gathered = []
            return .malformed
        case .read(let length, let source):
            defer { self.gathered = [] }
            return .read(source: source, behind: self.gathered[length...])
        }
    }
}
