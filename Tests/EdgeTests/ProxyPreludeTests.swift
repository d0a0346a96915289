import Booking
import Testing

@testable import Edge

/// The header of a proxy in pieces; which headers there are is in `ProxyHeaderTests`.
@Suite struct ProxyPreludeTests {
    private static let client = IPAddress(ipv4: 0xC000_0201)
    private static let line = Array("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n".utf8)
    private static let binary: [UInt8] =
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 9, 0xDC, 0x04, 0x01, 0xBB]
    private static let request = Array("GET / HTTP/1.1\r\n".utf8)

    private static func receive(_ bytes: [UInt8], _ prelude: inout ProxyPrelude) -> ProxyPrelude.Outcome {
        bytes.withUnsafeBytes { prelude.receive($0) }
    }

    @Test(arguments: [Self.line, Self.binary])
    func `a header may be cut anywhere, and what is behind it is handed on`(header: [UInt8]) {
        let bytes = header + Self.request
        for cut in 1..<header.count {
            var prelude = ProxyPrelude()
            #expect(Self.receive(Array(bytes[..<cut]), &prelude) == .needsMore)
            let outcome = Self.receive(Array(bytes[cut...]), &prelude)
            #expect(outcome == .read(source: Self.client, behind: Self.request[...]), "cut at \(cut)")
        }
    }

    @Test(arguments: [Self.line, Self.binary])
    func `a header may come byte by byte, with nothing behind it`(header: [UInt8]) {
        var prelude = ProxyPrelude()
        for byte in header.dropLast() { #expect(Self.receive([byte], &prelude) == .needsMore) }
        #expect(Self.receive([header.last!], &prelude) == .read(source: Self.client, behind: []))
    }

    @Test func `a proxy that speaks for itself names nobody`() {
        var prelude = ProxyPrelude()
        let outcome = Self.receive(Array("PROXY UNKNOWN\r\n".utf8) + Self.request, &prelude)
        #expect(outcome == .read(source: nil, behind: Self.request[...]))
    }

    @Test func `what can't become a header is malformed with the byte that makes it so`() {
        var prelude = ProxyPrelude()
        #expect(Self.receive(Array("PROXY TCP4 192.0.2.1".utf8), &prelude) == .needsMore)
        #expect(Self.receive([0x0A], &prelude) == .malformed)
        var plain = ProxyPrelude()
        #expect(Self.receive(Self.request, &plain) == .malformed)
    }
}
