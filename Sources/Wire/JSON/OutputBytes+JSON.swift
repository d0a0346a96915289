/// JSON (RFC 8259), written straight into the output.
///
///     output.openObject()
///     output.member("userId", 7)
///     output.member("seats")
///     output.openArray()
///     for seat in seats { output.element(); output.append(decimal: seat) }
///     output.closeArray()
///     output.closeObject()
///
/// Commas are automatic: a member or an element writes one unless the byte before it opened its object or array.
/// Balanced opening and closing is not checked here, only by the tests of the answers.
extension OutputBytes {
    public mutating func openObject() { self.append(UInt8(ascii: "{")) }
    public mutating func closeObject() { self.append(UInt8(ascii: "}")) }
    public mutating func openArray() { self.append(UInt8(ascii: "[")) }
    public mutating func closeArray() { self.append(UInt8(ascii: "]")) }

    /// Before each element of an array.
    @inline(__always)
    public mutating func element() {
        if self.last != UInt8(ascii: "[") { self.append(UInt8(ascii: ",")) }
    }

    /// A member's name and colon; its value is to follow. `name` needs no escapes.
    @inline(__always)
    public mutating func member(_ name: StaticString) {
        if self.last != UInt8(ascii: "{") { self.append(UInt8(ascii: ",")) }
        self.append(UInt8(ascii: "\""))
        self.append(name)
        self.append(UInt8(ascii: "\""))
        self.append(UInt8(ascii: ":"))
    }

    public mutating func member(_ name: StaticString, _ value: UInt64) {
        self.member(name)
        self.append(decimal: value)
    }

    public mutating func member(_ name: StaticString, _ value: Int64) {
        self.member(name)
        self.append(decimal: value)
    }

    public mutating func member(_ name: StaticString, _ value: Bool) {
        self.member(name)
        self.append(value ? "true" as StaticString : "false")
    }

    public mutating func member(_ name: StaticString, _ value: String) {
        self.member(name)
        self.append(jsonString: value)
    }

    /// `value` is UTF-8 of any kind.
    public mutating func member(_ name: StaticString, _ value: ByteView) {
        self.member(name)
        self.append(jsonString: value)
    }

    public mutating func append(jsonString text: String) {
        var text = text
        text.withUTF8 { self.append(jsonString: ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// In quotes, with escapes for `"`, `\` and control characters only: Korean is written as it is. `text` must be
    /// UTF-8 for the result to be.
    public mutating func append(jsonString text: ByteView) {
        let table = ByteClass.table
        self.reserve(text.count + 2)
        self.append(UInt8(ascii: "\""))
        var start = 0
        var at = 0
        while at < text.count {
            let byte = text.byte(at)
            if byte >= 0x80 || table[Int(byte)] & ByteClass.jsonPlain.rawValue != 0 || byte == 0x7F {
                at += 1
                continue
            }
            self.append(text.part(start, at))
            self.append(jsonEscape: byte)
            at += 1
            start = at
        }
        self.append(text.part(start, at))
        self.append(UInt8(ascii: "\""))
    }

    private mutating func append(jsonEscape byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.append("\\\"")
        case UInt8(ascii: "\\"): self.append("\\\\")
        case 0x08: self.append("\\b")
        case 0x09: self.append("\\t")
        case 0x0A: self.append("\\n")
        case 0x0C: self.append("\\f")
        case 0x0D: self.append("\\r")
        default:
            self.append("\\u00")
            for digit in [byte >> 4, byte & 15] { self.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10) }
        }
    }
}
