import Foundation

/// JSON Schema as far as the contract's document uses it: a keyword that it does not know is a mistake of the document.
struct JSONSchema {
    /// The whole document, for `$ref`.
    let document: JSONValue

    /// Where a `$ref` leads; the value itself if it is none.
    func resolved(_ value: JSONValue) -> JSONValue {
        guard let path = value["$ref"].string else { return value }
        return path.split(separator: "/").dropFirst().reduce(self.document) { $0[String($1)] }
    }

    /// What is wrong with `value`, each with its place; empty if nothing is.
    func mistakes(in value: JSONValue, by schema: JSONValue, at place: String = "$") -> [String] {
        let schema = self.resolved(schema)
        guard case .object(let keywords) = schema, !keywords.isEmpty else { return ["\(place): no such schema"] }
        return keywords.sorted { $0.key < $1.key }.flatMap { self.mistakes($0, in: value, at: place) }
    }

    private func mistakes(_ keyword: (key: String, value: JSONValue), in value: JSONValue, at place: String) -> [String]
    {
        let (name, rule) = keyword
        let isKept: Bool
        switch name {
        case "description", "summary", "example", "default": return []
        case "anyOf":
            let each = rule.list.map { self.mistakes(in: value, by: $0, at: place) }
            return each.contains { $0.isEmpty } ? [] : ["\(place): none of anyOf: \(each)"]
        case "allOf": return rule.list.flatMap { self.mistakes(in: value, by: $0, at: place) }
        case "properties":
            guard case .object(let rules) = rule, case .object(let members) = value else { return [] }
            return members.flatMap { member in
                rules[member.key].map { self.mistakes(in: member.value, by: $0, at: "\(place).\(member.key)") } ?? []
            }
        case "items":
            return value.list.enumerated().flatMap { self.mistakes(in: $1, by: rule, at: "\(place)[\($0)]") }
        case "type": isKept = Self.type(of: value) == rule.string
        case "enum": isKept = rule.list.contains(value)
        case "const": isKept = rule == value
        case "required": isKept = rule.list.allSatisfy { value.has($0.string ?? "") }
        case "minimum": isKept = value.whole.map { $0 >= rule.whole ?? .max } ?? true
        case "maximum": isKept = value.whole.map { $0 <= rule.whole ?? .min } ?? true
        case "minLength": isKept = value.string.map { $0.unicodeScalars.count >= rule.whole ?? .max } ?? true
        case "maxLength": isKept = value.string.map { $0.unicodeScalars.count <= rule.whole ?? .min } ?? true
        case "minItems": isKept = value.list.count >= rule.whole ?? .max
        case "maxItems": isKept = value.list.count <= rule.whole ?? .min
        case "uniqueItems": isKept = Set(value.list.map(String.init(describing:))).count == value.list.count
        case "pattern":
            isKept = value.string.map { $0.range(of: rule.string ?? "", options: .regularExpression) != nil } ?? true
        default: return ["\(place): unknown keyword \(name)"]
        }
        return isKept ? [] : ["\(place): \(value) is not of \(name) \(rule)"]
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .whole: "integer"
        case .fraction: "number"
        case .string: "string"
        case .list: "array"
        case .object: "object"
        }
    }
}

extension JSONValue {
    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
    func has(_ name: String) -> Bool { self.members[name] != nil }
}
