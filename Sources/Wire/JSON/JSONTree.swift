/// A JSON document as a tree, for files that people write: it can be walked to its end, so that every mistake is
/// found at once, and asked which names nobody knows. Not for requests: those are `JSONObject`'s.
public enum JSONTree: Equatable, Sendable {
    case null
    case truth(Bool)
    /// A number without a fraction that fits 64 bits.
    case whole(Int)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    /// What stands in the file, short enough for a sentence.
    public var summary: String {
        switch self {
        case .null: "null"
        case .truth(let value): String(value)
        case .whole(let value): String(value)
        case .number(let value): String(value)
        case .text(let value): value.count > 40 ? "'\(value.prefix(40))…'" : "'\(value)'"
        case .list: "a list"
        case .object: "an object"
        }
    }

    /// A name that stood before in the same object.
    public struct Repeated: Equatable, Sendable {
        /// As `gateway.port`, or `halls[0].name`.
        public let path: String
        /// Of the second one, from 1.
        public let line: Int
    }

    /// Reads a document, which may begin with a byte order mark, and the names that stand twice in it, in their order: the first of
    /// two counts. The error is a sentence that names the line and column where it stops being JSON. O(bytes).
    public static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> (tree: JSONTree, repeated: [Repeated]) {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONSyntaxError) in
            let text = ByteView(UnsafeRawBufferPointer(buffer))
            var reader = JSONTreeReader(text)
            do throws(InputError) { return (try reader.readDocument(), reader.repeated) } catch {
                let at = error.offset ?? text.count
                guard at < text.count else {
                    throw JSONSyntaxError("it ends too early, or a name or text lacks its quotes")
                }
                let (line, column) = JSONTreeReader.place(at, in: text)
                throw JSONSyntaxError("\(error.reason), near line \(line), column \(column)")
            }
        }
    }
}

/// A file that is no JSON at all.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Builds the tree of one document.
private struct JSONTreeReader {
    /// Deeper than anybody writes, and no strain on the stack.
    private static let depthMax = 512

    private var scanner: JSONScanner
    /// Where the value that is read stands: names, and places in lists.
    private var path: [String] = []
    private(set) var repeated: [JSONTree.Repeated] = []

    init(_ text: ByteView) { self.scanner = JSONScanner(text) }

    /// Line and column of a byte, from 1.
    static func place(_ offset: Int, in text: ByteView) -> (line: Int, column: Int) {
        let before = text.bytes.prefix(offset)
        return (before.count { $0 == 0x0A } + 1, before.reversed().prefix { $0 != 0x0A }.count + 1)
    }

    mutating func readDocument() throws(InputError) -> JSONTree {
        let text = self.scanner.bytes
        if text.count >= 3, text.byte(0) == 0xEF, text.byte(1) == 0xBB, text.byte(2) == 0xBF { self.scanner.at = 3 }
        self.scanner.skipSpace()
        let tree = try self.readValue()
        self.scanner.skipSpace()
        guard self.scanner.at == text.count else {
            throw self.scanner.error(.jsonTrailingBytes, "something follows the end of the document")
        }
        return tree
    }

    private mutating func readValue() throws(InputError) -> JSONTree {
        let text = self.scanner.bytes
        guard self.scanner.at < text.count else { throw self.scanner.cutOff() }
        guard self.path.count < Self.depthMax else {
            throw self.scanner.error(.jsonTooDeep, "there are too many levels")
        }
        switch text.byte(self.scanner.at) {
        case UInt8(ascii: "{"): return .object(try self.readObject())
        case UInt8(ascii: "["): return .list(try self.readList())
        case UInt8(ascii: "\""): return .text(try self.readString())
        case UInt8(ascii: "t"):
            try self.scanner.skipWord("true")
            return .truth(true)
        case UInt8(ascii: "f"):
            try self.scanner.skipWord("false")
            return .truth(false)
        case UInt8(ascii: "n"):
            try self.scanner.skipWord("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try self.readNumber()
        default: throw self.scanner.error(.jsonInvalid, "a value was expected here")
        }
    }

    private mutating func readObject() throws(InputError) -> [String: JSONTree] {
        var members: [String: JSONTree] = [:]
        self.scanner.at += 1
        self.scanner.skipSpace()
        if self.scanner.consume(UInt8(ascii: "}")) { return members }
        while true {
            let start = self.scanner.at
            guard start < self.scanner.bytes.count else { throw self.scanner.cutOff() }
            guard self.scanner.bytes.byte(start) == UInt8(ascii: "\"") else {
                throw self.scanner.error(.jsonInvalid, "a member's name in double quotes was expected here")
            }
            let name = try self.readString()
            self.path.append(self.path.isEmpty ? name : ".\(name)")
            if members[name] != nil {
                let line = Self.place(start, in: self.scanner.bytes).line
                self.repeated.append(JSONTree.Repeated(path: self.path.joined(), line: line))
            }
            self.scanner.skipSpace()
            guard self.scanner.consume(UInt8(ascii: ":")) else {
                throw self.scanner.unexpected("a colon was expected here")
            }
            self.scanner.skipSpace()
            let value = try self.readValue()
            if members[name] == nil { members[name] = value }
            self.path.removeLast()
            self.scanner.skipSpace()
            if self.scanner.consume(UInt8(ascii: "}")) { return members }
            guard self.scanner.consume(UInt8(ascii: ",")) else {
                throw self.scanner.unexpected("a comma or `}` was expected here")
            }
            self.scanner.skipSpace()
        }
    }

    private mutating func readList() throws(InputError) -> [JSONTree] {
        var elements: [JSONTree] = []
        self.scanner.at += 1
        self.scanner.skipSpace()
        if self.scanner.consume(UInt8(ascii: "]")) { return elements }
        while true {
            self.path.append("[\(elements.count)]")
            elements.append(try self.readValue())
            self.path.removeLast()
            self.scanner.skipSpace()
            if self.scanner.consume(UInt8(ascii: "]")) { return elements }
            guard self.scanner.consume(UInt8(ascii: ",")) else {
                throw self.scanner.unexpected("a comma or `]` was expected here")
            }
            self.scanner.skipSpace()
        }
    }

    private mutating func readString() throws(InputError) -> String {
        let start = self.scanner.at + 1
        try self.scanner.skipString()
        return JSONStringBytes.text(self.scanner.bytes.part(start, self.scanner.at - 1))
    }

    /// Whole where it has no fraction and fits, however it is written: `1e3` is 1,000.
    private mutating func readNumber() throws(InputError) -> JSONTree {
        let start = self.scanner.at
        try self.scanner.skipNumber()
        let text = self.scanner.bytes.part(start, self.scanner.at).text
        if let whole = Int(text) { return .whole(whole) }
        guard let number = Double(text), number.isFinite else {
            throw InputError(.jsonNumberInvalid, offset: start, "a number is larger than any")
        }
        return Int(exactly: number).map { .whole($0) } ?? .number(number)
    }
}
