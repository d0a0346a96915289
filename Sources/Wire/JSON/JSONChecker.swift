/// Walks a JSON text once, from first to last byte, and finds the members of the outermost object.
///
/// Recursion is bounded by `JSONObject.depthMax`; the names of each open object are kept on the stack.
struct JSONChecker {
    private let bytes: ByteView
    private var scanner: JSONScanner
    private var valueCount = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
        self.scanner = JSONScanner(bytes)
    }

    /// Checks the whole text; returns the number of members put into `members`.
    mutating func checkDocument(_ members: inout JSONObject.Members) throws(InputError) -> Int {
        guard self.bytes.count <= Int(UInt32.max) else {
            throw self.scanner.error(.jsonInvalid, "the body is too large")
        }
        if self.bytes.count >= 3, self.bytes.byte(0) == 0xEF, self.bytes.byte(1) == 0xBB, self.bytes.byte(2) == 0xBF {
            throw self.scanner.error(.jsonByteOrderMark, "the body starts with a byte order mark")
        }
        self.scanner.skipSpace()
        guard self.scanner.at < self.bytes.count else { throw InputError(.bodyEmpty, "the body is empty") }
        guard self.bytes.byte(self.scanner.at) == UInt8(ascii: "{") else {
            try self.checkValue(depth: 1)
            throw InputError(.jsonNotObject, "the body is not a JSON object")
        }
        let count = try self.checkObject(depth: 1, &members)
        self.scanner.skipSpace()
        guard self.scanner.at == self.bytes.count else {
            throw self.scanner.error(.jsonTrailingBytes, "something follows the end of the object")
        }
        return count
    }

    private mutating func checkValue(depth: Int) throws(InputError) {
        guard self.scanner.at < self.bytes.count else { throw self.scanner.cutOff() }
        guard self.valueCount < JSONObject.valueCountMax else {
            throw self.scanner.error(.jsonTooManyValues, "there are too many values")
        }
        self.valueCount += 1
        switch self.bytes.byte(self.scanner.at) {
        case UInt8(ascii: "{"):
            var members = JSONObject.Members(repeating: JSONObject.Member())
            _ = try self.checkObject(depth: depth, &members)
        case UInt8(ascii: "["): try self.checkArray(depth: depth)
        case UInt8(ascii: "\""): try self.scanner.skipString()
        case UInt8(ascii: "t"): try self.scanner.skipWord("true")
        case UInt8(ascii: "f"): try self.scanner.skipWord("false")
        case UInt8(ascii: "n"): try self.scanner.skipWord("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try self.scanner.skipNumber()
        default: throw self.scanner.error(.jsonInvalid, "a value was expected here")
        }
    }

    private mutating func checkObject(depth: Int, _ members: inout JSONObject.Members) throws(InputError) -> Int {
        guard depth <= JSONObject.depthMax else { throw self.scanner.error(.jsonTooDeep, "there are too many levels") }
        var count = 0
        self.scanner.at += 1
        self.scanner.skipSpace()
        if self.scanner.consume(UInt8(ascii: "}")) { return 0 }
        while true {
            guard self.scanner.at < self.bytes.count else { throw self.scanner.cutOff() }
            guard self.bytes.byte(self.scanner.at) == UInt8(ascii: "\"") else {
                throw self.scanner.error(.jsonInvalid, "a member's name in double quotes was expected here")
            }
            guard count < JSONObject.memberCountMax else {
                throw self.scanner.error(.jsonTooManyMembers, "an object has too many members")
            }
            let nameStart = self.scanner.at + 1
            try self.scanner.skipString()
            let name = self.bytes.part(nameStart, self.scanner.at - 1)
            let hash = JSONNameHash.secret.hash(of: name)
            for other in 0..<count where members[other].nameHash == hash {
                let earlier = self.bytes.part(Int(members[other].nameStart), Int(members[other].nameEnd))
                guard !JSONStringBytes.isEqual(earlier, name) else {
                    throw InputError(.fieldRepeated, offset: nameStart, "a member's name repeats")
                }
            }
            members[count].nameHash = hash
            members[count].nameStart = UInt32(truncatingIfNeeded: nameStart)
            members[count].nameEnd = UInt32(truncatingIfNeeded: self.scanner.at - 1)
            self.scanner.skipSpace()
            guard self.scanner.consume(UInt8(ascii: ":")) else {
                throw self.scanner.unexpected("a colon was expected here")
            }
            self.scanner.skipSpace()
            members[count].valueStart = UInt32(truncatingIfNeeded: self.scanner.at)
            try self.checkValue(depth: depth + 1)
            members[count].valueEnd = UInt32(truncatingIfNeeded: self.scanner.at)
            count += 1
            self.scanner.skipSpace()
            if self.scanner.consume(UInt8(ascii: "}")) { return count }
            guard self.scanner.consume(UInt8(ascii: ",")) else {
                throw self.scanner.unexpected("a comma or `}` was expected here")
            }
            self.scanner.skipSpace()
        }
    }

    private mutating func checkArray(depth: Int) throws(InputError) {
        guard depth <= JSONObject.depthMax else { throw self.scanner.error(.jsonTooDeep, "there are too many levels") }
        self.scanner.at += 1
        self.scanner.skipSpace()
        if self.scanner.consume(UInt8(ascii: "]")) { return }
        while true {
            try self.checkValue(depth: depth + 1)
            self.scanner.skipSpace()
            if self.scanner.consume(UInt8(ascii: "]")) { return }
            guard self.scanner.consume(UInt8(ascii: ",")) else {
                throw self.scanner.unexpected("a comma or `]` was expected here")
            }
            self.scanner.skipSpace()
        }
    }
}
