import Foundation
import TestSupport
import Testing

@testable import Cryptography

/// Signatures against the examples of RFC 7515 and RFC 8037, which other programs made, and against keys made here.
@Suite struct VerifyingKeyTests {
    private static func bytes(_ base64url: String) -> [UInt8] {
        let text = base64url.replacing("-", with: "+").replacing("_", with: "/")
        return Array(Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))!)
    }

    private static func isSignature(_ signature: [UInt8], of text: String, _ key: VerifyingKey?) -> Bool? {
        Array(text.utf8).withUnsafeBytes { message in key.map { $0.isSignature(signature, of: message) } }
    }

    private struct Example {
        let signed: String
        let signature: String
        let key: VerifyingKey?
    }

    private static let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    private static let examples: [String: Example] = [
        "RFC 7515, A.1, HS256": Example(
            signed: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims,
            signature: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            key: VerifyingKey(
                hmac: bytes(
                    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
                )
            )
        ),
        "RFC 7515, A.2, RS256": Example(
            signed: "eyJhbGciOiJSUzI1NiJ9." + claims,
            signature:
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG"
                + "bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
                + "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
                + "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            key: VerifyingKey(
                modulus: bytes(
                    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"
                        + "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
                        + "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK"
                        + "-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
                ),
                exponent: bytes("AQAB")
            )
        ),
        "RFC 7515, A.3, ES256": Example(
            signed: "eyJhbGciOiJFUzI1NiJ9." + claims,
            signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            key: VerifyingKey(
                x: bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                y: bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
            )
        ),
        "RFC 8037, A.4, EdDSA": Example(
            signed: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            key: VerifyingKey(ed25519: bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        ),
    ]

    @Test(arguments: Self.examples.keys.sorted())
    func `an example of the RFCs is genuine, and with any byte changed it is not`(name: String) throws {
        let example = try #require(Self.examples[name])
        let key = try #require(example.key)
        let signature = Self.bytes(example.signature)
        #expect(Self.isSignature(signature, of: example.signed, key) == true)
        #expect(Self.isSignature(signature, of: example.signed + "A", key) == false)
        #expect(Self.isSignature(signature, of: "", key) == false)
        for position in signature.indices {
            var forged = signature
            forged[position] ^= 1
            #expect(Self.isSignature(forged, of: example.signed, key) == false, "byte \(position)")
        }
        for count in [0, 1, signature.count - 1] {
            #expect(Self.isSignature(Array(signature.prefix(count)), of: example.signed, key) == false)
        }
        #expect(Self.isSignature(signature + [0], of: example.signed, key) == false)
        for other in Self.examples.values where other.key !== key {
            #expect(Self.isSignature(signature, of: example.signed, other.key) == false)
        }
    }

    @Test(arguments: [Signer.Kind.ecdsaP256, .rsa, .ed25519])
    func `a key reads the same from its numbers and from PEM`(kind: Signer.Kind) throws {
        let signer = Signer(kind)
        let fromNumbers: VerifyingKey? =
            switch kind {
            case .ecdsaP256: VerifyingKey(x: signer.x, y: signer.y)
            case .rsa: VerifyingKey(modulus: signer.modulus, exponent: signer.exponent)
            case .ed25519: VerifyingKey(ed25519: signer.publicBytes)
            }
        for text in ["", "abc", String(repeating: "x", count: 10_000)] {
            let signature = signer.signature(of: Array(text.utf8))
            for key in [try #require(fromNumbers), try #require(VerifyingKey(pem: signer.pem))] {
                #expect(Self.isSignature(signature, of: text, key) == true)
                #expect(Self.isSignature(signature, of: text + " ", key) == false)
            }
            #expect(Self.isSignature(signature, of: text, VerifyingKey(pem: Signer(kind).pem)) == false)
        }
    }

    @Test func `what is no public key of the three is refused`() {
        let point = Signer(.ecdsaP256)
        #expect(VerifyingKey(x: point.x, y: point.x) == nil, "a point beside the curve")
        #expect(VerifyingKey(x: Array(point.x.dropLast()), y: point.y) == nil)
        #expect(VerifyingKey(x: [UInt8](repeating: 0, count: 32), y: [UInt8](repeating: 0, count: 32)) == nil)
        #expect(VerifyingKey(ed25519: [1, 2, 3]) == nil)
        let short = Signer(.rsa, rsaBits: 1_024)
        #expect(VerifyingKey(modulus: short.modulus, exponent: short.exponent) == nil)
        #expect(VerifyingKey(pem: short.pem) == nil)
        let rsa = Signer(.rsa)
        for (modulus, exponent) in [([], rsa.exponent), (rsa.modulus, []), (rsa.modulus, [2]), ([], [])] {
            #expect(VerifyingKey(modulus: modulus, exponent: exponent) == nil)
        }
        let pem = rsa.pem
        for text in ["", "abc", String(pem.dropLast(60)), pem.replacing("PUBLIC KEY", with: "CERTIFICATE")] {
            #expect(VerifyingKey(pem: text) == nil)
        }
    }
}
