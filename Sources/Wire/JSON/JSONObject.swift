/// A request's body: one JSON object, checked to its last byte, whose members are then looked up by name.
///
/// Strict where RFC 8259 is, and where it leaves a choice: repeated names (at any depth), broken UTF-8, unpaired
/// surrogates, a byte order mark, more than `depthMax` levels, more than `memberCountMax` members and more than
/// `valueCountMax` values are refused. Numbers are exact: an integer is an integer as written, never `1.0` or `1e3`.
/// Unknown members are checked and ignored. A view of the body's bytes, valid as long as they are. Only errors and
/// strings are allocated.
///
/// Two integers from `{"concertId":12,"userId":345678}` take 133 ns, against 2,340 ns with Foundation's JSONDecoder,
/// which also takes `1.0` and `1e3` for integers, a byte order mark, and the first of two equal names (both the median
/// of 9, Swift 6.3.1, release build, x86-64).
public struct JSONObject {
    /// Nesting of objects and arrays, with the body itself.
    public static let depthMax = 32
    /// Members of one object: as many as fit the in-place storage.
    public static let memberCountMax = 32
    /// Values of a document at any depth: ten times what any call takes. A value of two bytes costs as much as fifty
    /// bytes of text.
    public static let valueCountMax = 1_024
    /// The integers that a reader built on doubles keeps exactly: -(2^53 - 1) ... 2^53 - 1 (RFC 8259, section 6).
    public static let integerMax: Int64 = (1 << 53) - 1

    /// A member's name (between its quotes) and value, by offset.
    struct Member {
        var nameStart: UInt32 = 0
        var nameEnd: UInt32 = 0
        var valueStart: UInt32 = 0
        var valueEnd: UInt32 = 0
        /// Of the name: see `JSONNameHash`.
        var nameHash: UInt32 = 0
    }
    typealias Members = InlineArray<32, Member>

    private let bytes: ByteView
    private var members: Members
    private var memberCount = 0

    /// Checks all of `body`. Linear; at most 4 GiB.
    public init(_ body: ByteView) throws(InputError) {
        self.bytes = body
        self.members = Members(repeating: Member())
        var checker = JSONChecker(body)
        self.memberCount = try checker.checkDocument(&self.members)
    }

    // MARK: Members

    /// A whole number. `1.0` and `1e3` are refused, as are numbers that a browser would not keep exactly.
    public func integer(_ name: StaticString) throws(InputError) -> Int64 {
        guard let value = try self.integerIfPresent(name) else { throw Self.missing(name) }
        return value
    }

    /// As `integer`; nil when the member is missing or null.
    public func integerIfPresent(_ name: StaticString) throws(InputError) -> Int64? {
        guard let value = self.value(name) else { return nil }
        return try Self.integer(value, name)
    }

    /// A list of whole numbers, at most `countMax`; it may be empty. Its elements are parsed again when read.
    public func integers(_ name: StaticString, countMax: Int) throws(InputError) -> JSONIntegers {
        guard let value = self.value(name) else { throw Self.missing(name) }
        guard value.byte(0) == UInt8(ascii: "[") else {
            throw InputError(.fieldTypeInvalid, field: name, "is not a list of whole numbers")
        }
        let whole = JSONIntegers.Elements(list: value)
        var elements = whole
        var count = 0
        while let element = elements.next() {
            _ = try Self.integer(element, name)
            count += 1
            guard count <= countMax else { throw InputError(.listTooLong, field: name, "has too many elements") }
        }
        return JSONIntegers(elements: whole, count: count)
    }

    /// A string of at most `bytesMax` bytes of UTF-8, its escapes resolved.
    public func string(_ name: StaticString, bytesMax: Int) throws(InputError) -> String {
        guard let value = try self.stringIfPresent(name, bytesMax: bytesMax) else { throw Self.missing(name) }
        return value
    }

    /// As `string`; nil when the member is missing or null.
    public func stringIfPresent(_ name: StaticString, bytesMax: Int) throws(InputError) -> String? {
        guard let value = self.value(name) else { return nil }
        guard value.byte(0) == UInt8(ascii: "\"") else {
            throw InputError(.fieldTypeInvalid, field: name, "is not a string")
        }
        var content = JSONStringBytes(value.part(1, value.count - 1))
        var decoded = OutputBytes()
        while let byte = content.next() {
            guard decoded.count < bytesMax else { throw InputError(.stringTooLong, field: name, "is too long") }
            decoded.append(byte)
        }
        return decoded.view.text
    }

    // MARK: Values

    /// The text of a member's value; nil when it is missing or null.
    private func value(_ name: StaticString) -> ByteView? { self.value(ByteView(name)) }

    func value(_ name: ByteView) -> ByteView? {
        for at in 0..<self.memberCount {
            let member = self.members[at]
            let sent = self.bytes.part(Int(member.nameStart), Int(member.nameEnd))
            guard JSONStringBytes.isEqual(sent, name) else { continue }
            let value = self.bytes.part(Int(member.valueStart), Int(member.valueEnd))
            return value == "null" ? nil : value
        }
        return nil
    }

    private static func missing(_ name: StaticString) -> InputError {
        InputError(.fieldMissing, field: name, "is missing")
    }

    /// `value` is the text of a checked value.
    private static func integer(_ value: ByteView, _ name: StaticString) throws(InputError) -> Int64 {
        let first = value.byte(0)
        guard first == UInt8(ascii: "-") || first &- 0x30 <= 9 else {
            throw InputError(.fieldTypeInvalid, field: name, "is not a whole number")
        }
        switch IntegerText(value) {
        case .value(let number) where number.magnitude <= self.integerMax: return number
        case .value, .outOfRange: throw InputError(.numberOutOfRange, field: name, "is beyond 2^53 - 1")
        // A checked number can only have a point or an exponent here.
        case .notANumber:
            throw InputError(.numberNotInteger, field: name, "is written with a point or an exponent")
        }
    }
}

/// The numbers of a list in a checked body, in order; each element costs its length.
public struct JSONIntegers: Sequence, IteratorProtocol {
    fileprivate var elements: Elements
    public let count: Int

    public mutating func next() -> Int64? {
        guard let element = self.elements.next(), case .value(let number) = IntegerText(element) else { return nil }
        return number
    }

    /// The texts of a list's numbers. Any other element is cut at its first comma, space or bracket: its first byte is
    /// enough to refuse it, and the rest is not read.
    struct Elements {
        let list: ByteView
        var at = 1

        mutating func next() -> ByteView? {
            while self.at < self.list.count, Self.isBetween(self.list.byte(self.at)) { self.at += 1 }
            let start = self.at
            guard start < self.list.count, self.list.byte(start) != UInt8(ascii: "]") else { return nil }
            repeat { self.at += 1 } while self.at < self.list.count && !Self.endsNumber(self.list.byte(self.at))
            return self.list.part(start, self.at)
        }

        private static func isBetween(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ",") || JSONScanner.isSpace(byte) }
        private static func endsNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "]") || self.isBetween(byte) }
    }
}
