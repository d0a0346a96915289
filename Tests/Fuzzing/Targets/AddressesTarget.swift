import Booking
import Glibc

@testable import Wire

/// Client addresses: addresses and networks as text, and the PROXY header before a connection.
///
///     'P' ... or CR ...      a proxy's header, and what comes behind it
///     anything else          an address, and a network
enum AddressesTarget {
    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        let bytes = ByteView(input)
        try self.checkHeader(bytes)
        try self.checkAddress(bytes)
    }

    /// A header ends where it says, whatever follows; no prefix of it is a header; and a refused one stays refused.
    private static func checkHeader(_ bytes: ByteView) throws(BrokenProperty) {
        let whole = ProxyHeader.read(bytes)
        if case .read(let length, _) = whole {
            try require((1...min(bytes.count, ProxyHeader.bytesMax)).contains(length), "a header of \(length) bytes")
            try require(ProxyHeader.read(bytes.part(0, length)) == whole, "a header changes with what is behind it")
        }
        if case .needsMore = whole { try require(bytes.count < ProxyHeader.bytesMax, "a header has no end") }
        for count in 0..<bytes.count {
            let part = ProxyHeader.read(bytes.part(0, count))
            switch (part, whole) {
            case (.needsMore, _), (.malformed, .malformed): continue
            case (.read, .read) where part == whole: return
            default: throw BrokenProperty("\(count) bytes of a header are \(part), and all of it is \(whole)")
            }
        }
    }

    /// An address is exactly what the system's own reader accepts.
    private static func checkAddress(_ bytes: ByteView) throws(BrokenProperty) {
        let address = IPAddress(bytes)
        try require(address == self.systemsOpinion(bytes), "an address is another for the system: \(bytes.text)")
        if let address { try require(ForwardedFor.address(of: bytes) == address, "no address where a proxy names it") }
        if let network = Network(bytes) { try require(network.contains(network.base), "a network is not in itself") }
    }

    private static func systemsOpinion(_ bytes: ByteView) -> IPAddress? {
        guard bytes.count <= 64, !bytes.bytes.contains(0) else { return nil }
        let text = bytes.bytes.map { CChar(bitPattern: $0) } + [0]
        var ipv4: UInt32 = 0
        if inet_pton(AF_INET, text, &ipv4) == 1 { return IPAddress(ipv4: UInt32(bigEndian: ipv4)) }
        var ipv6: UInt128 = 0
        return inet_pton(AF_INET6, text, &ipv6) == 1 ? IPAddress(bits: UInt128(bigEndian: ipv6)) : nil
    }
}
