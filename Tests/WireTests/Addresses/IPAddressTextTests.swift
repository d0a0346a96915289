import Booking
import Glibc
import Seeded
import Testing

@testable import Wire

extension IPAddress {
    init?(text: String) {
        guard let address = Array(text.utf8).withUnsafeBytes({ IPAddress(ByteView($0)) }) else { return nil }
        self = address
    }
}

@Suite struct IPAddressTextTests {
    @Test(arguments: [
        ("127.0.0.1", IPAddress(ipv4: 0x7F00_0001)), ("255.255.255.255", IPAddress(ipv4: .max)),
        ("0.0.0.0", IPAddress(ipv4: 0)), ("::", IPAddress(bits: 0)), ("::1", IPAddress(bits: 1)),
        ("1::", IPAddress(bits: 1 << 112)),
        ("2001:db8::8:800:200C:417a", IPAddress(bits: 0x2001_0DB8_0000_0000_0008_0800_200C_417A)),
        ("1:2:3:4:5:6:7:8", IPAddress(bits: 0x0001_0002_0003_0004_0005_0006_0007_0008)),
        ("::2:3:4:5:6:7:8", IPAddress(bits: 0x0002_0003_0004_0005_0006_0007_0008)),
        ("1:2:3:4:5:6:7::", IPAddress(bits: 0x0001_0002_0003_0004_0005_0006_0007_0000)),
        ("::ffff:192.0.2.1", IPAddress(ipv4: 0xC000_0201)), ("::192.0.2.1", IPAddress(bits: 0xC000_0201)),
        ("1:2:3:4:5:6:192.0.2.1", IPAddress(bits: 0x0001_0002_0003_0004_0005_0006_C000_0201)),
    ])
    func `an address is read`(text: String, address: IPAddress) { #expect(IPAddress(text: text) == address) }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.-4",
        "1.2.3.4 ",
        " 1.2.3.4", "1..2.3", "0x7f.0.0.1", "1.2.3.a", ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "fe80::1%eth0", "[::1]", "::1.2.3", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "localhost", "::1/128", "1:2:3:4:5:6:7:8:", "1::2:",
    ])
    func `what is no address is refused`(text: String) { #expect(IPAddress(text: text) == nil) }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `addresses are read as the system reads them`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("0123456789abF:::..".utf8)
        for _ in 0..<2_000 {
            // Half are texts from the system, some with a byte changed; half are noise.
            var bytes = (0..<Int.random(in: 1...20, using: &random)).map { _ in random.pick(alphabet) }
            if random.once(in: 2) {
                var address = in6_addr()
                withUnsafeMutableBytes(of: &address) { raw in
                    for at in 0..<16 where !random.once(in: 2) {
                        raw[at] = UInt8.random(in: 0 ... .max, using: &random)
                    }
                }
                var text = [CChar](repeating: 0, count: 64)
                inet_ntop(AF_INET6, &address, &text, 64)
                bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                if random.once(in: 2) { bytes[Int.random(in: 0..<bytes.count, using: &random)] = random.pick(alphabet) }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            var four = in_addr()
            var six = in6_addr()
            var expected: IPAddress?
            if inet_pton(AF_INET, text, &four) == 1 {
                expected = IPAddress(ipv4: UInt32(bigEndian: four.s_addr))
            } else if inet_pton(AF_INET6, text, &six) == 1 {
                expected = IPAddress(
                    bits: withUnsafeBytes(of: six) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
                )
            }
            #expect(IPAddress(text: text) == expected, "seed \(seed): \(text)")
        }
    }

    @Test func `IPv6 clients count by their prefix, IPv4 ones each`() throws {
        let (one, other) = (
            try #require(IPAddress(text: "2001:db8:1:2:3::1")), try #require(IPAddress(text: "2001:db8:1:2:ffff::"))
        )
        #expect(one.client(prefixBits: 64) == other.client(prefixBits: 64))
        #expect(one.client(prefixBits: 80) != other.client(prefixBits: 80))
        #expect(one.client(prefixBits: 128) == one)
        #expect(IPAddress(ipv4: 1).client(prefixBits: 64) != IPAddress(ipv4: 2).client(prefixBits: 64))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "192.0.2.1", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "192.0.2.1", true), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.0", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false), ("::1", "::1", true), ("::1", "127.0.0.1", false),
        // The same address in IPv6's form, from a socket that takes both.
        ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("::ffff:10.0.0.0/104", "10.1.2.3", true),
    ])
    func `a network has the addresses that begin like it`(network: String, address: String, isIn: Bool) throws {
        #expect(try NetworkList(network).contains(try #require(IPAddress(text: address))) == isIn)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "2001:db8::1/64", "::/129", "/8", "a", "::/-1",
    ])
    func `what is no network is named`(text: String) {
        #expect(throws: NetworkList.Mistake(part: text)) { try NetworkList("127.0.0.0/8, \(text)") }
    }

    @Test func `a list has commas or spaces, or nothing`() throws {
        #expect(try NetworkList("127.0.0.0/8,::1 10.0.0.0/8").networks.count == 3)
        #expect(try NetworkList("").networks.isEmpty)
    }
}
