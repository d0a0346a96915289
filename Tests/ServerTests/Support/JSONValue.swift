import FoundationEssentials

/// A JSON text as a value that compares: what answers are checked with. Whole numbers are exact.
enum JSONValue: Equatable, Decodable {
    case null
    case bool(Bool)
    case whole(Int64)
    case fraction(Double)
    case string(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .whole(value)
        } else if let value = try? container.decode(Double.self) {
            self = .fraction(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)) }

    /// As JSON.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .whole(let value): "\(value)"
        case .fraction(let value): "\(value)"
        case .string(let text): "\"\(text)\""  // no test sends one that needs an escape
        case .list(let elements): "[\(elements.map(\.text).joined(separator: ","))]"
        case .object(let members): "{\(members.map { "\"\($0.key)\":\($0.value.text)" }.joined(separator: ","))}"
        }
    }

    // MARK: Reading

    /// A member of an object; `null` for what is none.
    subscript(_ name: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[name] ?? .null
    }

    /// An element of a list; `null` for what is none.
    subscript(_ index: Int) -> JSONValue {
        guard case .list(let elements) = self, elements.indices.contains(index) else { return .null }
        return elements[index]
    }

    var list: [JSONValue] { if case .list(let elements) = self { elements } else { [] } }
    var whole: Int64? { if case .whole(let value) = self { value } else { nil } }
    var string: String? { if case .string(let value) = self { value } else { nil } }
    /// One member of each element.
    func each(_ name: String) -> [JSONValue] { self.list.map { $0[name] } }
    /// The same, of those that are whole numbers.
    func eachWhole(_ name: String) -> [Int64] { self.list.compactMap { $0[name].whole } }

    /// What it is made of, without the values: `{amount: whole, userId: whole}`, `[{seatId: whole}]`, names in order of
    /// the alphabet. A list whose elements differ shows each shape once.
    var shape: String {
        switch self {
        case .null: return "null"
        case .bool: return "bool"
        case .whole: return "whole"
        case .fraction: return "fraction"
        case .string(let text): return Self.isDateTime(text) ? "time" : "string"
        case .list(let elements): return "[\(Set(elements.map(\.shape)).sorted().joined(separator: " | "))]"
        case .object(let members):
            let parts = members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.shape)" }
            return "{\(parts.joined(separator: ", "))}"
        }
    }

    /// `yyyy-MM-dd HH:mm:ss`, the contract's form.
    private static func isDateTime(_ text: String) -> Bool {
        text.map { $0.isASCII && $0.isNumber ? "0" : $0 } == Array("0000-00-00 00:00:00")
    }
}

extension JSONValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    init(integerLiteral value: Int64) { self = .whole(value) }
    init(stringLiteral value: String) { self = .string(value) }
    init(nilLiteral: ()) { self = .null }
}
