import Booking
import Cryptography
import Testing
import Wire

@Suite struct TokenRingTextTests {
    private static let text = """
        # id  active from (seconds since 1970)  secret (base64 of 32 bytes)
        1 1767193200 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
        2 1767193260 ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=

        """
    private static let check =
        "# check "
        + SHA256.hash(Array(Self.text.utf8)).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined() + "\n"

    @Test func `a ring is written as it is read`() throws {
        let ring = try TokenRing([
            TokenKey(id: 2, secret: [UInt8](100..<132), activeFrom: Timestamp(seconds: 1_767_193_260)),
            TokenKey(id: 1, secret: [UInt8](0..<32), activeFrom: Timestamp(seconds: 1_767_193_200)),
        ])
        #expect(ring.text == Self.text + Self.check)
        #expect(try TokenRing(text: ring.text) == ring)
        #expect(try TokenRing(text: Self.text) == ring, "as earlier versions wrote it")
    }

    @Test func `comments, empty lines, tabs and carriage returns do not matter`() throws {
        let untidy = """

            # keys
            \t2\t1767193260   ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=  # the new one\r
            1 1767193200 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=#old
            """
        #expect(try TokenRing(text: untidy).text == Self.text + Self.check)
    }

    @Test(arguments: [
        ("1 2", "there are 2 fields, not 3 (id, active from, secret)"),
        ("256 2 x", "the id is not a number from 0 to 255"),
        ("one 2 x", "the id is not a number from 0 to 255"),
        ("1 -1 x", "active from is not a number of seconds from 0 to 9223372036"),
        ("1 9223372037 x", "active from is not a number of seconds from 0 to 9223372036"),
        ("1 2 x", "the secret is not the base64 of 32 bytes"),
        ("1 2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "the secret is not the base64 of 32 bytes"),
        ("1 2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "the secret is not the base64 of 32 bytes"),
        ("9 2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "key id 9 is on an earlier line, too"),
        ("1 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "key 9 on an earlier line is active from the same second"),
    ]) func `a mistake is named with its line, and no secret is shown`(line: String, reason: String) {
        let before = "# keys\n9 1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        #expect(throws: WireError("line 3 of the key ring: \(reason)")) { try TokenRing(text: before + line + "\n") }
    }

    @Test func `a ring that was altered anywhere is refused`() throws {
        let whole = Array((Self.text + Self.check).utf8)
        for index in whole.indices where index != whole.count - 1 {
            var bytes = whole
            bytes[index] = bytes[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
            let text = String(decoding: bytes, as: UTF8.self)
            // A line that is not recognised as a checksum is a comment.
            guard text.contains("\n# check ") else { continue }
            #expect(throws: WireError.self, "byte \(index)") { try TokenRing(text: text) }
        }
        let lines = (Self.text + Self.check).split(separator: "\n")
        #expect(throws: WireError.self) { try TokenRing(text: (lines[..<2] + lines[3...]).joined(separator: "\n")) }
        #expect(throws: WireError.self) { try TokenRing(text: Self.text + Self.check + String(lines[1])) }
    }

    @Test func `a text without keys is refused`() {
        #expect(throws: WireError("a token ring needs at least one key")) { try TokenRing(text: "# none yet\n") }
    }
}
