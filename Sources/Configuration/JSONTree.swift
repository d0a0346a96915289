import Foundation

/// A JSON document as a tree, for files that people write: reading can go on to the end, so that every mistake and
/// unknown name is found at once. Not for requests: those are decoded in Wire.
enum JSONTree: Equatable, Sendable {
    case null
    case truth(Bool)
    /// A number without a fraction that fits 64 bits.
    case whole(Int)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    /// The file's text for this value, short enough for a sentence.
    var summary: String {
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

    /// Parses a document. The error is a sentence with the line and column of the fault.
    static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONTree {
        let data = Data(bytes)
        do { return try JSONDecoder().decode(JSONTree.self, from: data) } catch {
            throw JSONSyntaxError(Self.reason(data) ?? "it breaks the rules of JSON")
        }
    }

    /// The decoder gives no position; Foundation's other parser does, if it finds the same fault.
    private static func reason(_ data: Data) -> String? {
        do {
            _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            return nil
        } catch {
            guard let words = (error as NSError).userInfo["NSDebugDescription"] as? String else { return nil }
            guard let position = words.split(separator: " ").last.flatMap({ Int($0.prefix { $0.isNumber }) }) else {
                return words.hasPrefix("Unexpected end of file")
                    ? "it ends too early, or a name or text lacks its quotes" : words
            }
            let before = data.prefix(position)
            let line = before.count { $0 == 0x0A } + 1
            let column = before.reversed().prefix { $0 != 0x0A }.count + 1
            return "something is wrong near line \(line), column \(column)"
        }
    }
}

/// A file that is not JSON.
struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension JSONTree: Decodable {
    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Name.self) {
            var members: [String: JSONTree] = [:]
            for name in object.allKeys { members[name.stringValue] = try object.decode(JSONTree.self, forKey: name) }
            self = .object(members)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONTree] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONTree.self)) }
            self = .list(elements)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .truth(value)
        } else if let value = try? single.decode(Int.self) {
            self = .whole(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else {
            self = .text(try single.decode(String.self))
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
