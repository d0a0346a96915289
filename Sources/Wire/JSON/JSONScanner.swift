/// The strings, numbers and words of a JSON text (RFC 8259), checked as they are passed over: what bodies (`JSONChecker`) and files
/// (`JSONTree`) are read with. Allocates nothing.
struct JSONScanner {
    let bytes: ByteView
    private let table: UnsafePointer<UInt8>
    /// The next byte to look at.
    var at = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
        self.table = ByteClass.table
    }

    /// From the opening quote to behind the closing one.
    mutating func skipString() throws(InputError) {
        self.at += 1
        while true {
            self.at = self.bytes.skip(.jsonPlain, from: self.at, to: self.bytes.count, self.table)
            guard self.at < self.bytes.count else { throw self.cutOff() }
            switch self.bytes.byte(self.at) {
            case UInt8(ascii: "\""):
                self.at += 1
                return
            case UInt8(ascii: "\\"): try self.skipEscape()
            case 0x00...0x1F: throw self.error(.jsonInvalid, "a control character in a string is not escaped")
            default:
                guard let length = UTF8Check.length(self.bytes, at: self.at) else {
                    throw self.error(.jsonTextInvalid, "a string is not UTF-8")
                }
                self.at += length
            }
        }
    }

    private mutating func skipEscape() throws(InputError) {
        guard self.at + 1 < self.bytes.count else { throw self.cutOff() }
        switch self.bytes.byte(self.at + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.at += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONStringBytes.unit(self.bytes, at: self.at) else {
                throw self.error(.jsonEscapeInvalid, "`\\u` is not followed by four hexadecimal digits")
            }
            guard unit & 0xF800 == 0xD800 else {
                self.at += 6
                return
            }
            guard unit < 0xDC00, let second = JSONStringBytes.unit(self.bytes, at: self.at + 6),
                second & 0xFC00 == 0xDC00
            else { throw self.error(.jsonEscapeInvalid, "half of a surrogate pair stands alone") }
            self.at += 12
        default: throw self.error(.jsonEscapeInvalid, "a backslash is followed by a character it can't escape")
        }
    }

    mutating func skipNumber() throws(InputError) {
        _ = self.consume(UInt8(ascii: "-"))
        let start = self.at
        try self.skipDigits()
        if self.at > start + 1 && self.bytes.byte(start) == UInt8(ascii: "0") {
            throw self.error(.jsonNumberInvalid, "a number starts with a zero")
        }
        if self.consume(UInt8(ascii: ".")) { try self.skipDigits() }
        if self.consume(UInt8(ascii: "e")) || self.consume(UInt8(ascii: "E")) {
            if !self.consume(UInt8(ascii: "+")) { _ = self.consume(UInt8(ascii: "-")) }
            try self.skipDigits()
        }
    }

    private mutating func skipDigits() throws(InputError) {
        let start = self.at
        self.at = self.bytes.skip(.digit, from: start, to: self.bytes.count, self.table)
        guard self.at > start else { throw self.error(.jsonNumberInvalid, "a digit was expected here") }
    }

    mutating func skipWord(_ word: StaticString) throws(InputError) {
        let end = min(self.at + word.utf8CodeUnitCount, self.bytes.count)
        guard self.bytes.part(self.at, end) == word else { throw self.error(.jsonInvalid, "a value was expected here") }
        self.at = end
    }

    // MARK: Bytes

    @inline(__always)
    mutating func consume(_ byte: UInt8) -> Bool {
        guard self.at < self.bytes.count, self.bytes.byte(self.at) == byte else { return false }
        self.at += 1
        return true
    }

    @inline(__always)
    mutating func skipSpace() {
        while self.at < self.bytes.count, Self.isSpace(self.bytes.byte(self.at)) { self.at += 1 }
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    func unexpected(_ reason: StaticString) -> InputError {
        self.at < self.bytes.count ? self.error(.jsonInvalid, reason) : self.cutOff()
    }

    func cutOff() -> InputError { self.error(.jsonInvalid, "the body ends too early") }

    func error(_ code: InputError.Code, _ reason: StaticString) -> InputError {
        InputError(code, offset: self.at, reason)
    }
}
