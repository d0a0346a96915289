// What the claims of a token may be beside the members that requests have.

extension JSONObject {
    /// Whether a member exists and is not null.
    func has(_ name: StaticString) -> Bool { self.value(ByteView(name)) != nil }

    /// A whole number, or one in a string, of a member whose name is known at run time only; nil for anything else.
    func wholeNumber(named name: String) -> Int64? {
        var name = name
        guard let value = name.withUTF8({ self.value(ByteView(UnsafeRawBufferPointer($0))) }) else { return nil }
        let isString = value.byte(0) == UInt8(ascii: "\"")
        guard case .value(let number) = IntegerText(isString ? value.part(1, value.count - 1) : value) else {
            return nil
        }
        return number
    }

    /// A string, or a list of strings; empty when the member is missing or null.
    func strings(_ name: StaticString, bytesMax: Int, countMax: Int) throws(InputError) -> [String] {
        guard let value = self.value(ByteView(name)), value.byte(0) == UInt8(ascii: "[") else {
            return try self.stringIfPresent(name, bytesMax: bytesMax).map { [$0] } ?? []
        }
        var found: [String] = []
        var at = 1
        while true {
            while at < value.count, value.byte(at) == UInt8(ascii: ",") || JSONScanner.isSpace(value.byte(at)) {
                at += 1
            }
            guard value.byte(at) != UInt8(ascii: "]") else { return found }
            guard value.byte(at) == UInt8(ascii: "\"") else {
                throw InputError(.fieldTypeInvalid, field: name, "is not a list of strings")
            }
            let start = at + 1
            at = start
            while value.byte(at) != UInt8(ascii: "\"") { at += value.byte(at) == UInt8(ascii: "\\") ? 2 : 1 }
            guard found.count < countMax else { throw InputError(.listTooLong, field: name, "has too many elements") }
            guard at - start <= bytesMax else { throw InputError(.stringTooLong, field: name, "is too long") }
            found.append(JSONStringBytes.text(value.part(start, at)))
            at += 1
        }
    }
}

extension JSONStringBytes {
    /// The content of a checked string, its escapes resolved.
    static func text(_ content: ByteView) -> String {
        var bytes = JSONStringBytes(content)
        var decoded = OutputBytes()
        while let byte = bytes.next() { decoded.append(byte) }
        return decoded.view.text
    }
}
