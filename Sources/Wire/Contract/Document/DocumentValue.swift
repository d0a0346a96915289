/// A JSON value, written in the source as it will be in the document: members keep their order.
enum DocumentValue: Sendable {
    case text(String)
    case whole(Int64)
    case truth(Bool)
    case list([DocumentValue])
    case object([(name: String, value: DocumentValue)])

    /// A reference to a part of the document that is written once and used in many places.
    static func reference(_ path: String) -> DocumentValue { ["$ref": .text("#/components/\(path)")] }

    static func texts(_ texts: some Sequence<String>) -> DocumentValue { .list(texts.map { .text($0) }) }

    /// An object with the members of both; their names differ.
    func with(_ more: DocumentValue) -> DocumentValue {
        guard case .object(let mine) = self, case .object(let others) = more else {
            preconditionFailure("only objects have members")
        }
        return .object(mine + others)
    }

    func append(to output: inout OutputBytes) {
        switch self {
        case .text(let text): output.append(jsonString: text)
        case .whole(let number):
            if number < 0 { output.append(UInt8(ascii: "-")) }
            output.append(decimal: number.magnitude)
        case .truth(let value): output.append(value ? "true" as StaticString : "false")
        case .list(let elements):
            output.openArray()
            for element in elements {
                output.element()
                element.append(to: &output)
            }
            output.closeArray()
        case .object(let members):
            output.openObject()
            for (at, member) in members.enumerated() {
                if at > 0 { output.append(UInt8(ascii: ",")) }
                output.append(jsonString: member.name)
                output.append(UInt8(ascii: ":"))
                member.value.append(to: &output)
            }
            output.closeObject()
        }
    }
}

extension DocumentValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral text: String) { self = .text(text) }
    init(integerLiteral number: Int64) { self = .whole(number) }
    init(booleanLiteral value: Bool) { self = .truth(value) }
    init(arrayLiteral elements: DocumentValue...) { self = .list(elements) }
    init(dictionaryLiteral members: (String, DocumentValue)...) { self = .object(members.map { ($0.0, $0.1) }) }
}
