/// The token in a header `Authorization` (RFC 6750, section 2.1): `Bearer`, in any case, one or more spaces, and the
/// characters of base64 and base64url with `.`, `~` and `=` at the end.
public enum BearerToken {
    /// Nil for another scheme, and for malformed tokens.
    public static func token(in authorization: ByteView) -> ByteView? {
        let value = authorization.trimmed()
        guard value.count > 7, value.part(0, 6).isEqualIgnoringCase("bearer"), value.byte(6) == 0x20 else { return nil }
        let token = value.part(7, value.count).trimmed()
        var end = token.count
        while end > 0, token.byte(end - 1) == UInt8(ascii: "=") { end -= 1 }
        guard end > 0, token.part(0, end).bytes.allSatisfy(Self.isCharacter) else { return nil }
        return token
    }

    private static func isCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            [
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
                UInt8(ascii: "/"),
            ].contains(byte)
        }
    }
}
