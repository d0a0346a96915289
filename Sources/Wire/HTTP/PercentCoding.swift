/// Percent-escapes of paths and queries (RFC 3986, section 2.1), strictly: `%` and two hexadecimal digits, and what
/// they stand for together is UTF-8.
public enum PercentCoding {
    /// Appends what `text` stands for; on an error `output` is as before. `+` is a space in a query (the form coding
    /// of the WHATWG URL standard), and itself in a path. Linear.
    public static func decode(
        _ text: ByteView,
        plusIsSpace: Bool,
        into output: inout OutputBytes
    ) throws(InputError) {
        let before = output.count
        output.reserve(text.count)
        var at = 0
        while at < text.count {
            guard let (byte, next) = self.byte(text, at, plusIsSpace: plusIsSpace) else {
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

    /// Appends what a path stands for. Refuses an escaped `/` and an escaped NUL: they make one path look like
    /// another. The usual path has no escape, and needs no decoding: ask `needsDecoding` first.
    public static func decodePath(_ path: ByteView, into output: inout OutputBytes) throws(InputError) {
        var at = 0
        while at < path.count, let (byte, next) = self.byte(path, at, plusIsSpace: false) {
            if next > at + 1 && (byte == UInt8(ascii: "/") || byte == 0) {
                throw InputError(.pathInvalid, offset: at, "the path holds an escaped `/` or NUL")
            }
            at = next
        }
        try self.decode(path, plusIsSpace: false, into: &output)
    }

    public static func needsDecoding(_ path: ByteView) -> Bool { path.firstIndex(of: UInt8(ascii: "%")) != nil }

    /// The byte that starts at `at` stands for, and the offset behind it; nil for a bad escape.
    @inline(__always)
    static func byte(_ text: ByteView, _ at: Int, plusIsSpace: Bool) -> (byte: UInt8, next: Int)? {
        let byte = text.byte(at)
        if byte == UInt8(ascii: "+") && plusIsSpace { return (0x20, at + 1) }
        guard byte == UInt8(ascii: "%") else { return (byte, at + 1) }
        guard at + 2 < text.count, let high = ByteClass.hexValue(text.byte(at + 1)),
            let low = ByteClass.hexValue(text.byte(at + 2))
        else { return nil }
        return (high << 4 | low, at + 3)
    }
}
