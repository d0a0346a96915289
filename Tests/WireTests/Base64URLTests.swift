import Testing
import Wire

@Suite struct Base64URLTests {
    private func encode(_ bytes: [UInt8]) -> String {
        var output = OutputBytes()
        bytes.withUnsafeBytes { Base64URL.encode(ByteView($0), into: &output) }
        #expect(output.count == Base64URL.encodedCount(bytes.count))
        return output.view.text
    }

    private func decode(_ text: String, room: Int = 256) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: room)
        let count = target.withUnsafeMutableBytes { target in
            Array(text.utf8).withUnsafeBytes { Base64URL.decode(ByteView($0), into: target) }
        }
        return count.map { Array(target.prefix($0)) }
    }

    /// The vectors of RFC 4648, section 10, without their padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 hold both ways`(plain: String, coded: String) {
        #expect(self.encode(Array(plain.utf8)) == coded)
        #expect(self.decode(coded) == Array(plain.utf8))
    }

    @Test func `every byte comes back, in the alphabet for URLs`() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(self.decode(self.encode(all)) == all)
        #expect(self.encode([0xFB, 0xFF]) == "-_8")
    }

    @Test(arguments: [
        "A", "AAAAA", "Zg==", "Zm8=", "Zh", "Zm9", "+_8", "-/8", "Zg\n", " Zg", "Z g", "Z\0", "\u{E9}\u{E9}",
    ])
    func `what is not exactly the text of some bytes is refused`(text: String) { #expect(self.decode(text) == nil) }

    @Test func `too little room is refused, just enough is not`() {
        #expect(self.decode("Zm9v", room: 2) == nil)
        #expect(self.decode("Zm9v", room: 3) == Array("foo".utf8))
        #expect(self.decode("", room: 0) == [])
    }
}
