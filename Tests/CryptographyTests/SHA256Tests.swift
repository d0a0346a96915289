import Testing

@testable import Cryptography

/// FIPS 180-4's own examples, and the same bytes in pieces.
@Suite struct SHA256Tests {
    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `a text has the hash of the standard's examples`(text: String, hash: String) {
        let bytes = Array(text.utf8)
        #expect(Self.hex(SHA256.hash(bytes)) == hash)
        for piece in [1, 3, 63, 64, 65, 1_000] {
            var sum = SHA256()
            for start in stride(from: 0, to: bytes.count, by: piece) {
                sum.update(Array(bytes[start..<min(start + piece, bytes.count)]))
            }
            #expect(Self.hex(sum.finalize()) == hash, "in pieces of \(piece)")
        }
    }
}
