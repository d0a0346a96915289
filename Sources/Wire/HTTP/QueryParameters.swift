/// The parameters of a query, `name=value&name=value`, read in place.
///
/// Made only from a query whose escapes are all valid. A parameter that is read and was sent twice is refused, as its
/// values could contradict each other. Names match exactly, after decoding; a name without `=` has the empty value.
/// Each lookup reads the query once, and allocates only the text or error that it returns.
public struct QueryParameters {
    /// Each lookup reads all parameters, so their number is bounded. Calls have five at most, and clients add a few.
    public static let countMax = 100

    private let query: ByteView
    /// Whether any name or value is escaped; if not, bytes are compared as they are.
    private let isCoded: Bool

    /// Refuses more than `countMax` parameters, bad escapes, and escapes of invalid UTF-8, anywhere in the query.
    public init(_ query: ByteView) throws(InputError) {
        self.query = query
        var isCoded = false
        var count = 1
        for at in 0..<query.count {
            let byte = query.byte(at)
            if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") || byte >= 0x80 { isCoded = true }
            if byte == UInt8(ascii: "&") { count += 1 }
        }
        self.isCoded = isCoded
        guard count <= Self.countMax else { throw InputError(.parametersTooMany, "the query has too many parameters") }
        guard isCoded else { return }
        var decoded = OutputBytes(capacity: query.count)
        try PercentCoding.decode(query, into: &decoded)
        // The whole is UTF-8, and so is each name and value: ASCII separators are never inside a longer sequence.
    }

    /// The raw value of `name`; nil when it was not sent.
    public func raw(_ name: StaticString) throws(InputError) -> ByteView? {
        var found: ByteView?
        var start = 0
        while start < self.query.count {
            let end = self.query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? self.query.count
            let equals = self.query.firstIndex(of: UInt8(ascii: "="), from: start, to: end)
            if self.isNamed(self.query.part(start, equals ?? end), name) {
                guard found == nil else { throw InputError(.fieldRepeated, field: name, "was sent twice") }
                found = self.query.part(equals.map { $0 + 1 } ?? end, end)
            }
            start = end + 1
        }
        return found
    }

    /// The whole number sent as `name`; nil when none was. An empty value is refused.
    public func integerIfPresent(_ name: StaticString) throws(InputError) -> Int64? {
        guard let raw = try self.raw(name) else { return nil }
        switch self.isCoded ? Self.decodedInteger(raw) : IntegerText(raw) {
        case .value(let value): return value
        case .notANumber: throw InputError(.numberInvalid, field: name, "is not a whole number")
        case .outOfRange: throw InputError(.numberOutOfRange, field: name, "is too large a number")
        }
    }

    public func integer(_ name: StaticString) throws(InputError) -> Int64 {
        guard let value = try self.integerIfPresent(name) else {
            throw InputError(.fieldMissing, field: name, "is missing")
        }
        return value
    }

    /// The decoded text sent as `name`; nil when none was.
    public func textIfPresent(_ name: StaticString) throws(InputError) -> String? {
        guard let raw = try self.raw(name) else { return nil }
        guard self.isCoded else { return raw.text }
        var decoded = OutputBytes(capacity: raw.count)
        try PercentCoding.decode(raw, into: &decoded)
        return decoded.view.text
    }

    private func isNamed(_ sent: ByteView, _ name: StaticString) -> Bool {
        guard self.isCoded else { return sent == name }
        let wanted = ByteView(name)
        var at = 0
        var place = 0
        while at < sent.count, let (byte, next) = PercentCoding.byte(sent, at) {
            guard place < wanted.count, wanted.byte(place) == byte else { return false }
            place += 1
            at = next
        }
        return place == wanted.count
    }

    private static func decodedInteger(_ raw: ByteView) -> IntegerText {
        var decoded = OutputBytes(capacity: raw.count)
        var at = 0
        while at < raw.count, let (byte, next) = PercentCoding.byte(raw, at) {
            decoded.append(byte)
            at = next
        }
        return IntegerText(decoded.view)
    }
}
