/// Limits of a request, beyond which it is refused. In bytes unless they say otherwise.
public struct HTTPLimits: Equatable, Sendable {
    /// Request target; beyond it 414. RFC 9112, section 3, recommends at least 8,000.
    public var targetBytesMax = 8_192
    /// All field lines of a request with their line ends and the empty line that closes them; beyond it 431. Trailers
    /// have the same allowance again. nginx and Node take as much by default, or twice that.
    public var headerBytesMax = 16_384
    /// Number of field lines; beyond it 431. At most 250, so that a field's index fits a byte.
    public var headerCountMax = 100
    /// Body after removal of the chunked coding; beyond it 413. The largest body of the contract is below 1 KiB.
    public var bodyBytesMax = 65_536
    /// Chunk extensions of a body in total; beyond it 400. Real clients send none.
    public var chunkExtensionBytesMax = 1_024
    /// Number of chunks of a body; beyond it 400. More than the bytes of any body of the contract, so that a client may
    /// send each byte in its own chunk; every chunk costs as much as forty bytes.
    public var chunkCountMax = 1_024
    /// Number of empty lines before a request line; beyond it 400. RFC 9112, section 2.2, asks for at least one.
    public var emptyLinesMax = 4
    /// Memory that a parser keeps between requests; after a large body a connection frees the rest.
    public var retainedBytesMax = 4_096

    public init() {}

    /// Longer methods are unknown without further reading: the longest registered with IANA has 17 letters.
    static let methodBytesMax = 24
    /// Digits of a chunk size; leading zeros count.
    static let chunkSizeDigitsMax = 16
    /// Options of one `Connection` line, and codings of a line, that are read: real requests have at most three.
    static let connectionOptionsMax = 16
    static let codingsMax = 16
}
