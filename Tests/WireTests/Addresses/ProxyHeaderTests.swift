import Booking
import Seeded
import Testing
import Wire

@Suite struct ProxyHeaderTests {
    private func read(_ bytes: [UInt8]) -> ProxyHeader { bytes.withUnsafeBytes { ProxyHeader.read(ByteView($0)) } }
    private func read(_ text: String) -> ProxyHeader { self.read(Array(text.utf8)) }

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return Self.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 1, 192, 0, 2, 9, 0xDC, 0x04, 0x01, 0xBB]
    private static let ipv6: [UInt8] =
        [0x20, 1, 13, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]
        + [UInt8](repeating: 9, count: 16) + [0xDC, 0x04, 0x01, 0xBB]

    @Test(arguments: [
        ("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n", "192.0.2.1"),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        ("PROXY TCP6 2001:db8::7 ::1 0 443\r\n", "2001:db8::7"),
        ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 443\r\n", "192.0.2.1"),
    ])
    func `a line names the source`(line: String, source: String) {
        let expected = ProxyHeader.read(length: line.utf8.count, source: IPAddress(text: source))
        #expect(self.read(line) == expected)
        // The rest is ignored.
        #expect(self.read(line + "GET / HTTP/1.1\r\n") == expected)
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 what ever  1\r\n"])
    func `an unknown source is the connection's own`(line: String) {
        #expect(self.read(line) == .read(length: line.utf8.count, source: nil))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "P ", "PROXY\r\n", "PROXY TCP5 192.0.2.1 192.0.2.9 1 2\r\n",
        "PROXY  TCP4 192.0.2.1 192.0.2.9 1 2\r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.9 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.9 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.9 1 2 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.9 1 2 3\r\n", "PROXY TCP4 192.0.2.01 192.0.2.9 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.9 01 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.9 1 65536\r\n", "PROXY TCP4 192.0.2.1 ::1 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.9 1 2\r\n", "PROXY tcp4 192.0.2.1 192.0.2.9 1 2\r\n",
        "proxy TCP4 192.0.2.1 192.0.2.9 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.9 1 2\n", "PROXY TCP4 192.0.2.1 192.0.2.9 1 2\rX",
        "PROXY TCP4\t192.0.2.1 192.0.2.9 1 2\r\n",
        "PROXY UNKNOWNX\r\n", "PROXY \r\n", "\r\nG", "\r\n\r\nGET", "\0",
        "PROXY UNKNOWN " + String(repeating: "x", count: 100),
    ])
    func `another line is malformed`(line: String) { #expect(self.read(line) == .malformed) }

    @Test func `a line has 107 bytes at most`() {
        let start = "PROXY UNKNOWN "
        let longest = start + String(repeating: "x", count: 107 - 2 - start.utf8.count)
        #expect(self.read(longest + "\r\n") == .read(length: 107, source: nil))
        #expect(self.read(longest + "\r") == .needsMore)
        #expect(self.read(longest + "x\r\n") == .malformed)
    }

    @Test func `version 2 names the source`() {
        let four = Self.binary(0x21, 0x11, Self.ipv4)
        #expect(self.read(four) == .read(length: 28, source: IPAddress(ipv4: 0xC000_0201)))
        let six = Self.binary(0x21, 0x21, Self.ipv6)
        #expect(self.read(six) == .read(length: 52, source: IPAddress(text: "2001:db8::7")))
        // Extensions are skipped.
        let more = Self.binary(0x21, 0x11, Self.ipv4 + [4, 0, 3, 1, 2, 3])
        #expect(self.read(more + [71, 69, 84]) == .read(length: 34, source: IPAddress(ipv4: 0xC000_0201)))
    }

    @Test(arguments: [
        // The proxy's own connection, whatever the rest.
        ProxyHeaderTests.binary(0x20, 0x00, []), ProxyHeaderTests.binary(0x20, 0x11, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x20, 0xFF, [1, 2, 3]),
        // No address, a datagram's, a Unix socket's.
        ProxyHeaderTests.binary(0x21, 0x00, []), ProxyHeaderTests.binary(0x21, 0x12, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x31, [UInt8](repeating: 1, count: 216)), ProxyHeaderTests.binary(0x21, 0x01, []),
    ])
    func `version 2 without an address of the Internet is the connection's own`(header: [UInt8]) {
        #expect(self.read(header) == .read(length: header.count, source: nil))
    }

    @Test(arguments: [
        ProxyHeaderTests.binary(0x22, 0x11, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x11, 0x11, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x31, 0x11, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x41, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x13, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x11, [192, 0, 2, 1]),
        ProxyHeaderTests.binary(0x21, 0x21, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x11, [], length: 65_535),
        ProxyHeaderTests.binary(0x21, 0x11, [], length: ProxyHeader.bytesMax - 15),
    ])
    func `another version 2 is malformed`(header: [UInt8]) { #expect(self.read(header) == .malformed) }

    @Test(arguments: [
        Array("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n".utf8), Array("PROXY UNKNOWN\r\n".utf8),
        ProxyHeaderTests.binary(0x21, 0x11, ProxyHeaderTests.ipv4),
        ProxyHeaderTests.binary(0x21, 0x21, ProxyHeaderTests.ipv6),
        ProxyHeaderTests.binary(0x20, 0x00, [1]),
    ])
    func `a header that has not come whole is waited for`(header: [UInt8]) {
        for count in 0..<header.count { #expect(self.read(Array(header.prefix(count))) == .needsMore, "\(count)") }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `noise is never a header, and what was refused stays refused`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let samples = [
            Array("PROXY TCP6 2001:db8::7 ::1 56324 443\r\n".utf8), Array("PROXY UNKNOWN x\r\n".utf8),
            Self.binary(0x21, 0x11, Self.ipv4), Self.binary(0x21, 0x21, Self.ipv6),
        ]
        for _ in 0..<2_000 {
            var bytes = random.pick(samples)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0 ... .max, using: &random)
            }
            var wasRefused = false
            for count in 0...bytes.count {
                let found = self.read(Array(bytes.prefix(count)))
                if wasRefused { #expect(found == .malformed, "seed \(seed): \(bytes)") }
                if case .read(let length, _) = found { #expect(length <= count, "seed \(seed): \(bytes)") }
                wasRefused = found == .malformed
            }
        }
    }
}
