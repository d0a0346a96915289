import Testing

@testable import Wire

@Suite struct Base64Tests {
    private func encode(_ bytes: [UInt8], _ codec: Base64) -> String {
        var text = [UInt8](repeating: 0, count: codec.textCount(ofBytes: bytes.count))
        bytes.withUnsafeBytes { bytes in text.withUnsafeMutableBytes { codec.encode(bytes, into: $0) } }
        return String(decoding: text, as: UTF8.self)
    }

    private func decode(_ text: String, count: Int, _ codec: Base64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isWhole = Array(text.utf8).withUnsafeBytes { text in
            bytes.withUnsafeMutableBytes { codec.decode(text, into: $0) }
        }
        return isWhole ? bytes : nil
    }

    @Test func `the examples of RFC 4648, section 10`() {
        let examples = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
        for (plain, text) in examples {
            let bytes = Array(plain.utf8)
            let bare = text.filter { $0 != "=" }
            #expect(self.encode(bytes, .standard) == text)
            #expect(self.encode(bytes, .url) == bare)
            #expect(self.decode(text, count: bytes.count, .standard) == bytes)
            #expect(self.decode(bare, count: bytes.count, .url) == bytes)
        }
    }

    @Test func `the two alphabets differ in their last two characters`() {
        #expect(self.encode([0xFB, 0xFF], .url) == "-_8")
        #expect(self.encode([0xFB, 0xFF], .standard) == "+/8=")
        #expect(self.decode("+/8", count: 2, .url) == nil)
        #expect(self.decode("-_8=", count: 2, .standard) == nil)
    }

    @Test func `bits that no byte uses are zero`() {
        for last in "hijklmnopqrstuv" { #expect(self.decode("Z\(last)", count: 1, .url) == nil) }
        #expect(self.decode("Zg", count: 1, .url) == [0x66])
    }

    @Test func `other lengths, characters and padding are refused`() {
        for text in ["Zg", "Zg=", "Zg===", "Zg=A", "Z===", "=Zg=", "Zg ="] {
            #expect(self.decode(text, count: 1, .standard) == nil, "\(text)")
        }
        for text in ["Z", "Zg=", "Zg==", "Z\u{0}", "Z\u{E9}", " Zg"] {
            #expect(self.decode(text, count: 1, .url) == nil, "\(text)")
        }
    }
}
