import Booking

/// One method of one path, as the document has it.
struct DocumentedCall {
    /// Why a call says no for what its query or body is.
    enum Input { case none, query, body }

    let method: HTTPMethod
    let id: String
    let tag: String
    let summary: String
    var description = ""
    var parameters: [DocumentValue] = []
    /// The name of the body's schema, and an example.
    var body: (schema: String, example: DocumentValue)?
    /// Schema and example of the 200.
    let answer: (schema: DocumentValue, example: DocumentValue)
    /// May be kept, and carries an `ETag`.
    var isCached = false
    var mayPause = false
    var input = Input.query
    /// What shard and gateway may refuse it for.
    var refusals: [Refusal] = []
    /// What the gateway alone may refuse it for.
    var problems: [Problem] = []
    /// Whose it is has to be proven, where logins are checked.
    var isAboutUser = false
    /// Calls to go on with, by what this one's answer holds.
    var links: DocumentValue?

    /// A change takes an `Idempotency-Key`.
    var isChange: Bool { self.method == .post || self.method == .delete }
    var asksForPlace: Bool { self.problems.contains { $0.code == "TOKEN_NOT_FOUND" } }
    var methodName: String { "\(self.method)" }

    func value(asksForLogin: Bool) -> DocumentValue {
        var members: [(name: String, value: DocumentValue)] = [
            ("operationId", .text(self.id)), ("tags", [.text(self.tag)]), ("summary", .text(self.summary)),
        ]
        if !self.description.isEmpty { members.append(("description", .text(self.description))) }
        var parameters = self.parameters
        if self.isChange { parameters.append(.reference("parameters/IdempotencyKey")) }
        if self.isCached { parameters.append(.reference("parameters/IfNoneMatch")) }
        if !parameters.isEmpty { members.append(("parameters", .list(parameters))) }
        if let body {
            let content: DocumentValue = ["schema": .reference("schemas/\(body.schema)"), "example": body.example]
            members.append(("requestBody", ["required": true, "content": ["application/json": content]]))
        }
        if asksForLogin && self.isAboutUser {
            members.append(("security", ContractDocument.loginNeeded))
        }
        members.append(("responses", self.responses))
        return .object(members)
    }

    // MARK: Answers

    private var responses: DocumentValue {
        var responses: [(name: String, value: DocumentValue)] = [("200", self.success)]
        if self.isCached {
            let headers: DocumentValue = [
                "ETag": .reference("headers/ETag"), "Cache-Control": .reference("headers/CacheControl"),
            ]
            responses.append(("304", ["description": "What If-None-Match names still holds.", "headers": headers]))
        }
        for status in HTTPStatus.allCases {
            let own = self.ownProblems.filter { $0.status == status }
            if !own.isEmpty {
                responses.append(("\(status.rawValue)", self.refusal(status, own)))
            } else if let shared = ContractDocument.sharedResponse(of: status) {
                responses.append(("\(status.rawValue)", .reference("responses/\(shared)")))
            }
        }
        return .object(responses)
    }

    private var success: DocumentValue {
        var headers: [(name: String, value: DocumentValue)] = [
            ("Cache-Control", .object([("$ref", "#/components/headers/CacheControl")]))
        ]
        if self.isCached { headers.append(("ETag", .reference("headers/ETag"))) }
        if self.mayPause { headers.append(("Retry-After", .reference("headers/RetryAfter"))) }
        let content: DocumentValue = ["schema": self.answer.schema, "example": self.answer.example]
        let response: DocumentValue = [
            "description": "Done.", "headers": .object(headers), "content": ["application/json": content],
        ]
        return self.links.map { response.with(["links": $0]) } ?? response
    }

    /// All that this call may say no with, but for what HTTP itself says of any request.
    private var ownProblems: [Problem] {
        var problems = self.refusals.map {
            Problem($0, token: ContractDocument.exampleToken, asksForPlace: self.asksForPlace)
        }
        problems += self.problems
        if self.input != .none { problems += [Problem(ContractDocument.example(of: .fieldMissing))] }
        if self.isChange { problems += ContractDocument.keyProblems }
        return problems
    }

    private func refusal(_ status: HTTPStatus, _ problems: [Problem]) -> DocumentValue {
        var codes: [String] = []
        for problem in problems where !codes.contains(problem.code) { codes.append(problem.code) }
        var groups: [DocumentValue] = [["enum": .texts(codes)]]
        if status == .badRequest {
            switch self.input {
            case .none: break
            case .query: groups.append(.reference("schemas/QueryCode"))
            case .body: groups.append(.reference("schemas/BodyCode"))
            }
            groups += [.reference("schemas/ConnectionCode"), ContractDocument.requestCode]
        }
        if status == .serviceUnavailable {
            groups.append(["enum": .texts([Problem.tooManyConnections, .tooMuchUnfinished].map(\.code))])
        }
        return ContractDocument.response(
            codes.joined(separator: ", "),
            codes: groups.count == 1 ? groups[0] : ["anyOf": .list(groups)],
            examples: codes,
            headers: ContractDocument.headers(of: problems)
        )
    }
}
