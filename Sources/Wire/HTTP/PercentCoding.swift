/// Percent-escapes of queries (RFC 3986, section 2.1), parsed strictly: `%` and two hexadecimal digits, and the decoded
/// bytes are UTF-8.
public enum PercentCoding {
    /// Appends the decoded `text`; on an error `output` is unchanged. `+` is a space (the form coding of the WHATWG URL
    /// standard). Linear.
    public static func decode(
        _ text: ByteView,
        into output: inout OutputBytes
    ) throws(InputError) {
        let before = output.count
        output.reserve(text.count)
        var at = 0
        while at < text.count {
            guard let (byte, next) = self.byte(text, at) else {
                output.remove(before..<output.count)
                throw InputError(.escapeInvalid, offset: at, "a `%` is not followed by two hexadecimal digits")
            }
            output.append(byte)
            at = next
        }
        guard UTF8Check.isValid(output.view.part(before, output.count)) else {
            output.remove(before..<output.count)
            throw InputError(.textInvalid, "the escapes do not stand for UTF-8")
        }
    }

    /// The decoded byte at `at`, and the offset behind it; nil for a bad escape.
    @inline(__always)
    static func byte(_ text: ByteView, _ at: Int) -> (byte: UInt8, next: Int)? {
        let byte = text.byte(at)
        if byte == UInt8(ascii: "+") { return (0x20, at + 1) }
        guard byte == UInt8(ascii: "%") else { return (byte, at + 1) }
        guard at + 2 < text.count, let high = ByteClass.hexValue(text.byte(at + 1)),
            let low = ByteClass.hexValue(text.byte(at + 2))
        else { return nil }
        return (high << 4 | low, at + 3)
    }
}
