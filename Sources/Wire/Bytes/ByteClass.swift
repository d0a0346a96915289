/// The syntactic classes of a byte, one bit each, looked up in a table of 256.
struct ByteClass: OptionSet {
    let rawValue: UInt8

    /// `tchar`: methods and field names (RFC 9110, section 5.6.2).
    static let token = ByteClass(rawValue: 1)
    /// Characters of a request target: those of a URI (RFC 3986, section 2) without `#`.
    static let target = ByteClass(rawValue: 2)
    /// Characters of a name or an IPv4 address in `Host`: letters, digits, `-`, `.`, `_`, `~`.
    static let host = ByteClass(rawValue: 4)
    static let hexDigit = ByteClass(rawValue: 8)
    /// Characters that a JSON string has unescaped: printable ASCII but `"` and `\`.
    static let jsonPlain = ByteClass(rawValue: 16)
    static let digit = ByteClass(rawValue: 32)

    /// Made once and kept for the life of the process; a parser keeps the pointer, so that hot loops do not check
    /// whether it is initialised.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for byte in UInt8.min...UInt8.max { table[Int(byte)] = Self.classes(of: byte).rawValue }
        return UnsafePointer(table)
    }()

    private static func classes(of byte: UInt8) -> ByteClass {
        var classes: ByteClass = []
        let isDigit = (0x30...0x39).contains(byte)
        let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        if isDigit { classes.insert(.digit) }
        if isDigit || "abcdefABCDEF".utf8.contains(byte) { classes.insert(.hexDigit) }
        if isDigit || isLetter { classes.formUnion([.token, .target, .host]) }
        if "!#$%&'*+-.^_`|~".utf8.contains(byte) { classes.insert(.token) }
        if "-._~:/?[]@!$&'()*+,;=%".utf8.contains(byte) { classes.insert(.target) }
        if "-._~".utf8.contains(byte) { classes.insert(.host) }
        if (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
            classes.insert(.jsonPlain)
        }
        return classes
    }

    /// The value of a hexadecimal digit; nil for any other byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
