import Reactor
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("0.0.0.0", "0.0.0.0:80"), ("255.1.2.3", "255.1.2.3:80"),
        ("::1", "[::1]:80"), ("2001:DB8::ff", "[2001:db8::ff]:80"), ("::", "[::]:80"),
    ])
    func `an address reads back as it is written`(text: String, full: String) {
        #expect(SocketAddress(text, port: 80)?.description == full)
    }

    @Test(arguments: ["", "localhost", "127.0.0.1:80", "127.0.0", "1.2.3.256", "[::1]", ":::"])
    func `names and half addresses are refused`(text: String) {
        #expect(SocketAddress(text, port: 80) == nil)
    }

    @Test func `the bits are the address as a number`() {
        #expect(SocketAddress("127.0.0.1", port: 1)?.bits == 0x7F00_0001)
        #expect(SocketAddress("::1", port: 1)?.bits == 1)
        #expect(SocketAddress("127.0.0.1", port: 9) == .loopback(port: 9))
    }
}
