import Booking
import Foundation

@testable import Wire

/// The tables of the contract's page, from the rows that `/openapi.json` is made of.
///
///     <!-- calls -->
///     | call | ... |        written by this
///     <!-- end -->
enum ContractPage {
    /// The page with each table written anew, under the mark that names it. Traps where a mark has no end.
    static func updated(_ page: String) -> String {
        var page = page
        for (name, text) in self.tables {
            let (begin, end) = ("<!-- \(name) -->\n", "<!-- end -->")
            guard let start = page.range(of: begin), let stop = page[start.upperBound...].range(of: end) else {
                preconditionFailure("the page has no mark \(begin)")
            }
            page.replaceSubrange(start.upperBound..<stop.lowerBound, with: text + "\n")
        }
        return page
    }

    static var tables: [(name: String, text: String)] {
        [("calls", self.calls), ("reservation", self.reservation)]
            + ContractDocument.codeGroups.map { ("codes of \($0.name)", self.codes($0)) }
    }

    // MARK: Calls

    private static var calls: String {
        self.table(
            ["call", "", "input", "answer 200"],
            ContractDocument.calls.filter { ByteView($0.route.name) != "document" }.map { call in
                let remark = call.answerRemark.isEmpty ? "" : ". " + call.answerRemark
                return [
                    "`\(call.route.method.name) \(call.route.path)`", call.summary, self.input(of: call),
                    self.shape(call.answer.schema) + remark,
                ]
            }
        )
    }

    private static func input(of call: DocumentedCall) -> String {
        let parameters = call.parameters.map(self.resolved)
        func isOf(_ place: String, _ parameter: DocumentValue) -> Bool { parameter["in"]?.text == place }
        func isRequired(_ parameter: DocumentValue) -> Bool { parameter["required"]?.truth == true }
        let queries = parameters.filter { isOf("query", $0) }
        var inputs: [String] = []
        if parameters.contains(where: { $0["name"]?.text == "X-Concert-Token" }) { inputs.append("token") }
        let names = queries.filter(isRequired).compactMap { $0["name"]?.text }
        if !names.isEmpty { inputs.append("`?\(names.joined(separator: "&"))`") }
        if let body = call.body { inputs.append(self.shape(.reference("schemas/\(body.schema)"))) }
        inputs += queries.filter { !isRequired($0) }.map { parameter in
            "optional `\(parameter["name"]?.text ?? "")`\(self.values(parameter["schema"] ?? [:]))"
        }
        return inputs.joined(separator: ", ")
    }

    /// What a value may be: ` (A, B)`, or ` (1 to 100, default 20)`.
    private static func values(_ schema: DocumentValue) -> String {
        let schema = self.resolved(schema)
        var words = schema["enum"]?.list.compactMap(\.text).map { "`\($0)`" } ?? []
        if let least = schema["minimum"]?.whole { words.append("\(least) to \(schema["maximum"]?.whole ?? .max)") }
        if let standard = schema["default"] { words.append("default \(standard.whole.map(String.init) ?? "")") }
        return words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
    }

    // MARK: Shapes

    private static let reservations: Set<String> = ["Reservation", "OwnedReservation"]

    private static func shape(_ schema: DocumentValue) -> String {
        if let items = schema["items"] {
            return self.reservations.contains(self.name(items))
                ? "list of reservations" : "list of " + self.shape(items)
        }
        let members = self.members(schema)
        return "`{\(members.map(\.name).joined(separator: ", "))}`" + self.remarks(members)
    }

    private static var reservation: String {
        let members = self.members(.reference("schemas/Reservation"))
        return
            "A **reservation** is one seat: `{\(members.map(\.name).joined(separator: ", "))}`\(self.remarks(members))"
    }

    /// What there is to say of single members: their words, and what the document describes.
    private static func remarks(_ members: [(name: String, value: DocumentValue)]) -> String {
        members.compactMap { name, value in
            let schema = self.resolved(value)
            let isOwn = self.name(value) == "" || schema["enum"] != nil
            guard isOwn, schema["enum"] != nil || schema["description"] != nil else { return nil }
            let words = schema["enum"]?.list.compactMap(\.text).map { "`\($0)`" }.joined(separator: ", ") ?? ""
            let described = schema["description"]?.text.map { words.isEmpty ? $0 : ". \($0)" } ?? ""
            return "; `\(name)`: " + words + described
        }.joined()
    }

    private static func members(_ schema: DocumentValue) -> [(name: String, value: DocumentValue)] {
        guard case .object(let members) = self.resolved(schema)["properties"] else { return [] }
        return members
    }

    /// The last part of a reference; empty for what is written out.
    private static func name(_ value: DocumentValue) -> String {
        value["$ref"]?.text?.split(separator: "/").last.map(String.init) ?? ""
    }

    private static func resolved(_ value: DocumentValue) -> DocumentValue {
        guard let reference = value["$ref"]?.text?.split(separator: "/").map(String.init), reference.count == 4 else {
            return value
        }
        let part = reference[2] == "schemas" ? ContractDocument.schemas : ContractDocument.parameters
        return part[reference[3]] ?? [:]
    }

    // MARK: Codes

    private static func codes(_ group: ContractDocument.CodeGroup) -> String {
        let problems = ContractDocument.everyProblem
        func row(_ code: String, _ when: String) -> [String] {
            let meant = problems.filter { $0.code == code }
            var messages: [String] = []
            for problem in meant where !messages.contains(problem.korean) { messages.append(problem.korean) }
            let mayComeAgain = meant.contains { $0.retryAfter != nil } && !when.contains("Retry-After")
            return [
                "`\(code)`", "\(meant.first?.status.rawValue ?? 0)", when + (mayComeAgain ? "; `Retry-After`" : ""),
                messages.map { "`\($0.replacing(ContractDocument.exampleToken, with: "<token>"))`" }
                    .joined(separator: ", "),
            ]
        }
        let rows = group.codes.map { row($0.code, $0.when) }
        switch group.name {
        case "HTTP": return self.table(["code", "status", "when"], rows.map { Array($0.prefix(3)) } + self.refusals)
        // What was noticed is in the message, and is another each time.
        case "a query or body", "the login":
            return self.table(["code", "status", "when"], rows.map { Array($0.prefix(3)) })
        default: return self.table(["code", "status", "when", "Korean message"], rows)
        }
    }

    /// By status, each with the words that its message has.
    private static var refusals: [[String]] {
        HTTPStatus.allCases.flatMap { status in
            HTTPRefusal.allCases.filter { $0.status == status }.map {
                ["`\($0.code)`", "\(status.rawValue)", "\($0.reason)"]
            }
        }
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows).map { row in
            // A cell that is empty is one space wide, as the page always had it.
            "| " + row.joined(separator: " | ") + " |"
        }.joined(separator: "\n")
    }
}

extension DocumentValue {
    fileprivate subscript(name: String) -> DocumentValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    fileprivate var text: String? { if case .text(let text) = self { text } else { nil } }
    fileprivate var whole: Int64? { if case .whole(let number) = self { number } else { nil } }
    fileprivate var truth: Bool? { if case .truth(let truth) = self { truth } else { nil } }
    fileprivate var list: [DocumentValue] { if case .list(let list) = self { list } else { [] } }
}
