import Booking
import Wire

/// Gathers the start of a connection until the header is whole in which a trusted proxy names its client (PROXY
/// protocol). The bytes may arrive in any pieces; those behind the header in its last piece belong to the connection.
///
///     gathering ──bytes──▶ gathering ──▶ read: the client, and the bytes behind the header
///         └───────────────────┴────────▶ malformed
///
/// After `read` and `malformed` it must get no more bytes.
struct ProxyPrelude {
    enum Outcome: Equatable {
        case needsMore
        /// Not a header: drop the connection.
        case malformed
        /// `source` is nil where the proxy connects for itself, or names no client: then the connection's address
        /// counts.
        case read(source: IPAddress?, behind: ArraySlice<UInt8>)
    }

    /// The header's bytes so far: fewer than `ProxyHeader.bytesMax` between calls.
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
