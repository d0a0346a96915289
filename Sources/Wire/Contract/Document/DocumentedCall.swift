import Booking

/// One call, as the document has it: its route, and what that does not say.
struct DocumentedCall {
    /// Why a call says no for what its query or body is.
    enum Input { case none, query, body }

    let route: Route
    let id: String
    let tag: String
    let summary: String
    let description: String
    let parameters: [DocumentValue]
    /// The name of the body's schema, and an example.
    let body: (schema: String, example: DocumentValue)?
    /// Schema and example of the 200.
    let answer: (schema: DocumentValue, example: DocumentValue)
    /// What there is to say of the answer beside its schema.
    let answerRemark: String
    let mayPause: Bool
    /// What shard and gateway may refuse it for.
    let refusals: [Refusal]
    /// What the gateway alone may refuse it for.
    let problems: [Problem]
    /// Calls to go on with, by what this one's answer holds.
    let links: DocumentValue?

    init(
        _ route: Route,
        id: String,
        tag: String,
        summary: String,
        description: String = "",
        parameters: [DocumentValue] = [],
        body: (schema: String, example: DocumentValue)? = nil,
        answer: (schema: DocumentValue, example: DocumentValue),
        answerRemark: String = "",
        mayPause: Bool = false,
        refusals: [Refusal] = [],
        problems: [Problem] = [],
        links: DocumentValue? = nil
    ) {
        self.route = route
        self.id = id
        self.tag = tag
        self.summary = summary
        self.description = description
        self.parameters = parameters
        self.body = body
        self.answer = answer
        self.answerRemark = answerRemark
        self.mayPause = mayPause
        self.refusals = refusals
        self.problems = problems + (route.isAboutUser ? Problem.identities : [])
        self.links = links
    }

    /// A change takes an `Idempotency-Key`.
    var isChange: Bool { self.route.kind.map { $0.traits.effect != .question } ?? false }
    /// May be kept, and carries an `ETag`.
    var isCached: Bool { self.route.cacheControl != nil }
    var input: Input { self.body != nil ? .body : self.parameters.isEmpty ? .none : .query }
    var methodName: String { "\(self.route.method)" }

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
        if asksForLogin && self.route.isAboutUser {
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
            "description": .text(self.answerRemark.isEmpty ? "Done." : self.answerRemark), "headers": .object(headers),
            "content": ["application/json": content],
        ]
        return self.links.map { response.with(["links": $0]) } ?? response
    }

    /// All that this call may say no with, but for what HTTP itself says of any request.
    private var ownProblems: [Problem] {
        var problems = self.refusals.map {
            Problem($0, token: ContractDocument.exampleToken, asksForPlace: self.route.asksForPlace)
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
