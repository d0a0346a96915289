import Foundation
import Wire

@testable import Configuration

/// The contract's document as clients read it, and what tests ask of it.
struct ContractText {
    let document: JSONValue
    let schema: JSONSchema
    let calls: [Call]

    /// One method of one path.
    struct Call: CustomStringConvertible {
        let path: String
        let method: String
        let text: JSONValue
        var description: String { "\(self.method) \(self.path)" }
        var id: String { self.text["operationId"].string ?? "" }
    }

    static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    init(_ bytes: [UInt8]) throws {
        self.document = try JSONValue(bytes)
        self.schema = JSONSchema(document: self.document)
        self.calls = self.document["paths"].members.sorted { $0.key < $1.key }.flatMap { path, calls in
            Self.methods.filter { calls.has($0) }.map {
                Call(path: path, method: $0.uppercased(), text: calls[$0])
            }
        }
    }

    /// With the standard settings.
    static func standard() throws -> ContractText {
        try ContractText(ContractDocument.json(limits: ServerConfiguration().contractLimits))
    }

    subscript(_ id: String) -> Call? { self.calls.first { $0.id == id } }

    func response(_ call: Call, _ status: Int) -> JSONValue {
        self.schema.resolved(call.text["responses"]["\(status)"])
    }

    /// Every code that some answer's schema allows.
    var codes: Set<String> {
        var codes: Set<String> = []
        var answers = self.calls.flatMap { $0.text["responses"].members.values.map(self.schema.resolved) }
        answers += self.document["components"]["responses"].members.values
        for answer in answers {
            let code = answer["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"]
            codes.formUnion(self.codes(code))
        }
        return codes
    }

    private func codes(_ rule: JSONValue) -> [String] {
        let rule = self.schema.resolved(rule)
        return rule["enum"].list.compactMap(\.string) + [rule["const"].string].compactMap(\.self)
            + rule["anyOf"].list.flatMap(self.codes)
    }

    /// What is wrong with an answer to a call: its status, type, headers or body are not as the document says.
    func mistakes(in answer: Answer, to call: Call) -> [String] {
        let response = self.response(call, answer.status)
        guard response != .null else { return ["\(call): \(answer.status) is not in the document: \(answer)"] }
        var mistakes: [String] = []
        for header in response["headers"].members.keys where header != "Retry-After" && answer[header] == nil {
            mistakes.append("\(call): \(answer.status) without \(header)")
        }
        for header in ["Retry-After", "ETag", "Allow"] where answer[header] != nil && !response["headers"].has(header) {
            mistakes.append("\(call): \(answer.status) with \(header), which is not in the document")
        }
        guard response.has("content") else { return mistakes + (answer.body.isEmpty ? [] : ["\(call): a body"]) }
        let schema = response["content"]["application/json"]["schema"]
        return mistakes + self.schema.mistakes(in: answer.json, by: schema).map { "\(call): \(answer.status): \($0)" }
    }
}
