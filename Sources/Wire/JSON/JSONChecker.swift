/// Walks a JSON text once, from first to last byte, and finds the members of the outermost object.
///
/// Recursion is bounded by `JSONObject.depthMax`; the names of each open object are kept on the stack.
struct JSONChecker {
    private let bytes: ByteView
    private let table: UnsafePointer<UInt8>
    private var at = 0
    private var valueCount = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
        self.table = ByteClass.table
    }

    /// Checks the whole text; returns the number of members put into `members`.
    mutating func checkDocument(_ members: inout JSONObject.Members) throws(InputError) -> Int {
        guard self.bytes.count <= Int(UInt32.max) else { throw self.error(.jsonInvalid, "the body is too large") }
        if self.bytes.count >= 3, self.bytes.byte(0) == 0xEF, self.bytes.byte(1) == 0xBB, self.bytes.byte(2) == 0xBF {
            throw self.error(.jsonByteOrderMark, "the body starts with a byte order mark")
        }
        self.skipSpace()
        guard self.at < self.bytes.count else { throw InputError(.bodyEmpty, "the body is empty") }
        guard self.bytes.byte(self.at) == UInt8(ascii: "{") else {
            try self.checkValue(depth: 1)
            throw InputError(.jsonNotObject, "the body is not a JSON object")
        }
        let count = try self.checkObject(depth: 1, &members)
        self.skipSpace()
        guard self.at == self.bytes.count else {
            throw self.error(.jsonTrailingBytes, "something follows the end of the object")
        }
        return count
    }

    private mutating func checkValue(depth: Int) throws(InputError) {
        guard self.at < self.bytes.count else { throw self.cutOff() }
        guard self.valueCount < JSONObject.valueCountMax else {
            throw self.error(.jsonTooManyValues, "there are too many values")
        }
        self.valueCount += 1
        switch self.bytes.byte(self.at) {
        case UInt8(ascii: "{"):
            var members = JSONObject.Members(repeating: JSONObject.Member())
            _ = try self.checkObject(depth: depth, &members)
        case UInt8(ascii: "["): try self.checkArray(depth: depth)
        case UInt8(ascii: "\""): try self.checkString()
        case UInt8(ascii: "t"): try self.checkWord("true")
        case UInt8(ascii: "f"): try self.checkWord("false")
        case UInt8(ascii: "n"): try self.checkWord("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try self.checkNumber()
        default: throw self.error(.jsonInvalid, "a value was expected here")
        }
    }

    private mutating func checkObject(depth: Int, _ members: inout JSONObject.Members) throws(InputError) -> Int {
        guard depth <= JSONObject.depthMax else { throw self.error(.jsonTooDeep, "there are too many levels") }
        var count = 0
        self.at += 1
        self.skipSpace()
        if self.take(UInt8(ascii: "}")) { return 0 }
        while true {
            guard self.at < self.bytes.count else { throw self.cutOff() }
            guard self.bytes.byte(self.at) == UInt8(ascii: "\"") else {
                throw self.error(.jsonInvalid, "a member's name in double quotes was expected here")
            }
            guard count < JSONObject.memberCountMax else {
                throw self.error(.jsonTooManyMembers, "an object has too many members")
            }
            let nameStart = self.at + 1
            try self.checkString()
            let name = self.bytes.part(nameStart, self.at - 1)
            let hash = JSONNameHash.secret.hash(of: name)
            for other in 0..<count where members[other].nameHash == hash {
                let earlier = self.bytes.part(Int(members[other].nameStart), Int(members[other].nameEnd))
                guard !JSONStringBytes.isEqual(earlier, name) else {
                    throw InputError(.fieldRepeated, offset: nameStart, "a member's name repeats")
                }
            }
            members[count].nameHash = hash
            members[count].nameStart = UInt32(truncatingIfNeeded: nameStart)
            members[count].nameEnd = UInt32(truncatingIfNeeded: self.at - 1)
            self.skipSpace()
            guard self.take(UInt8(ascii: ":")) else { throw self.unexpected("a colon was expected here") }
            self.skipSpace()
            members[count].valueStart = UInt32(truncatingIfNeeded: self.at)
            try self.checkValue(depth: depth + 1)
            members[count].valueEnd = UInt32(truncatingIfNeeded: self.at)
            count += 1
            self.skipSpace()
            if self.take(UInt8(ascii: "}")) { return count }
            guard self.take(UInt8(ascii: ",")) else { throw self.unexpected("a comma or `}` was expected here") }
            self.skipSpace()
        }
    }

    private mutating func checkArray(depth: Int) throws(InputError) {
        guard depth <= JSONObject.depthMax else { throw self.error(.jsonTooDeep, "there are too many levels") }
        self.at += 1
        self.skipSpace()
        if self.take(UInt8(ascii: "]")) { return }
        while true {
            try self.checkValue(depth: depth + 1)
            self.skipSpace()
            if self.take(UInt8(ascii: "]")) { return }
            guard self.take(UInt8(ascii: ",")) else { throw self.unexpected("a comma or `]` was expected here") }
            self.skipSpace()
        }
    }

    /// From the opening quote to behind the closing one.
    private mutating func checkString() throws(InputError) {
        self.at += 1
        while true {
            self.at = self.bytes.skip(.jsonPlain, from: self.at, to: self.bytes.count, self.table)
            guard self.at < self.bytes.count else { throw self.cutOff() }
            switch self.bytes.byte(self.at) {
            case UInt8(ascii: "\""):
                self.at += 1
                return
            case UInt8(ascii: "\\"): try self.checkEscape()
            case 0x00...0x1F: throw self.error(.jsonInvalid, "a control character in a string is not escaped")
            default:
                guard let length = UTF8Check.length(self.bytes, at: self.at) else {
                    throw self.error(.jsonTextInvalid, "a string is not UTF-8")
                }
                self.at += length
            }
        }
    }

    private mutating func checkEscape() throws(InputError) {
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

    private mutating func checkNumber() throws(InputError) {
        _ = self.take(UInt8(ascii: "-"))
        let start = self.at
        try self.checkDigits()
        if self.at > start + 1 && self.bytes.byte(start) == UInt8(ascii: "0") {
            throw self.error(.jsonNumberInvalid, "a number starts with a zero")
        }
        if self.take(UInt8(ascii: ".")) { try self.checkDigits() }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
            try self.checkDigits()
        }
    }

    private mutating func checkDigits() throws(InputError) {
        let start = self.at
        self.at = self.bytes.skip(.digit, from: start, to: self.bytes.count, self.table)
        guard self.at > start else { throw self.error(.jsonNumberInvalid, "a digit was expected here") }
    }

    private mutating func checkWord(_ word: StaticString) throws(InputError) {
        let end = min(self.at + word.utf8CodeUnitCount, self.bytes.count)
        guard self.bytes.part(self.at, end) == word else { throw self.error(.jsonInvalid, "a value was expected here") }
        self.at = end
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.at < self.bytes.count, self.bytes.byte(self.at) == byte else { return false }
        self.at += 1
        return true
    }

    @inline(__always)
    private mutating func skipSpace() {
        while self.at < self.bytes.count, Self.isSpace(self.bytes.byte(self.at)) { self.at += 1 }
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private func unexpected(_ reason: StaticString) -> InputError {
        self.at < self.bytes.count ? self.error(.jsonInvalid, reason) : self.cutOff()
    }

    private func cutOff() -> InputError { self.error(.jsonInvalid, "the body ends too early") }

    private func error(_ code: InputError.Code, _ reason: StaticString) -> InputError {
        InputError(code, offset: self.at, reason)
    }
}
