import Booking

/// Problem codes: which call may answer which, and an example of each, in the gateway's own words.
extension ContractDocument {
    /// Possible answers to any request.
    static let sharedProblems: [Problem] =
        HTTPRefusal.allCases.map { Problem($0) } + HTTPRejection.allCases.map { Problem($0) }
        + [.requestTimeout, .notFound, .methodNotAllowed("POST, OPTIONS")]
        + [.tooManyConnections, .tooMuchUnfinished]
        + [
            .tooManyRequests(ofAddress: .seconds(1)), .tooManyRequests(ofUser: .seconds(1)),
            .tooManyConnectionsOfAddress,
        ]
        + [.forwardedInvalid]

    /// 400s that any request may get, and whose connection stays open.
    static var requestCode: DocumentValue {
        ["enum": .texts([Problem.forwardedInvalid, Problem(.contentRange)].map(\.code))]
    }

    /// Possible answers to a change because of its idempotency key.
    static let keyProblems: [Problem] =
        [.idempotencyKeyInvalid]
        + [.keyReused, .tooManyKeys, .tooManyKeysOfAddress, .keysFull].map {
            Problem($0 as Refusal, token: "", asksForPlace: false)
        }

    /// The shared response of a status, for calls without codes of their own for it; nil where there is none, or it is
    /// about no call of the document.
    static func sharedResponse(of status: HTTPStatus) -> String? {
        guard status != .notFound, status != .methodNotAllowed else { return nil }
        return self.sharedProblems.contains { $0.status == status } ? self.name(of: status) : nil
    }

    private static func name(of status: HTTPStatus) -> String {
        let name = "\(status)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }

    static var sharedResponses: DocumentValue {
        .object(
            HTTPStatus.allCases.compactMap { status in
                let problems = self.sharedProblems.filter { $0.status == status }
                guard !problems.isEmpty else { return nil }
                let codes = problems.map(\.code)
                let response = self.response(
                    problems.count == 1 ? problems[0].english : codes.joined(separator: ", "),
                    codes: status == .badRequest
                        ? ["anyOf": [.reference("schemas/ConnectionCode"), self.requestCode]]
                        : ["enum": .texts(codes)],
                    examples: codes,
                    headers: self.headers(of: problems)
                )
                return (self.name(of: status), response)
            }
        )
    }

    static func response(
        _ description: String,
        codes: DocumentValue,
        examples: [String],
        headers: DocumentValue
    ) -> DocumentValue {
        let content: DocumentValue = [
            "schema": ["allOf": [.reference("schemas/Problem"), ["properties": ["code": codes]]]],
            "examples": .object(examples.map { ($0, .reference("examples/\($0)")) }),
        ]
        return ["description": .text(description), "headers": headers, "content": ["application/json": content]]
    }

    static func headers(of problems: [Problem]) -> DocumentValue {
        var headers: [(name: String, value: DocumentValue)] = [
            ("Cache-Control", .object([("$ref", "#/components/headers/CacheControl")]))
        ]
        if problems.contains(where: { $0.retryAfter != nil }) {
            headers.append(("Retry-After", .reference("headers/RetryAfter")))
        }
        if problems.contains(where: { $0.allow != nil }) { headers.append(("Allow", .reference("headers/Allow"))) }
        if problems.contains(where: { $0.status == .unauthorized }) {
            headers.append(("WWW-Authenticate", .reference("headers/WWWAuthenticate")))
        }
        if problems.contains(where: { $0.acceptEncoding != nil }) {
            headers.append(("Accept-Encoding", .reference("headers/AcceptEncoding")))
        }
        return .object(headers)
    }

    // MARK: Examples

    /// Every code once.
    static var problemExamples: DocumentValue {
        var examples: [(name: String, value: DocumentValue)] = []
        for problem in self.everyProblem where !examples.contains(where: { $0.name == problem.code }) {
            let value: DocumentValue = ["code": .text(problem.code), "message": .text(problem.korean)]
            let words: DocumentValue = ["summary": .text(problem.english)]
            let when: DocumentValue = self.when(problem.code).map { ["description": .text($0)] } ?? [:]
            examples.append((problem.code, words.with(when).with(["value": value])))
        }
        return .object(examples)
    }

    static var everyProblem: [Problem] {
        var problems = self.calls.flatMap { call in
            let asksForPlace = call.route.asksForPlace
            return call.problems
                + call.refusals.map { Problem($0, token: self.exampleToken, asksForPlace: asksForPlace) }
        }
        problems += self.keyProblems
        problems += InputError.Code.allCases.map { Problem(self.example(of: $0)) }
        return problems + [self.fieldInvalid] + self.sharedProblems
    }

    // MARK: Of a query or body

    /// Where an input error can come from.
    static func isOf(_ code: InputError.Code) -> (query: Bool, body: Bool) {
        switch code {
        case .escapeInvalid, .textInvalid, .parametersTooMany, .numberInvalid: (true, false)
        case .fieldMissing, .fieldRepeated, .numberOutOfRange: (true, true)
        case .bodyEmpty, .jsonInvalid, .jsonByteOrderMark, .jsonTextInvalid, .jsonEscapeInvalid, .jsonNumberInvalid,
            .jsonTooDeep, .jsonTooManyMembers, .jsonTooManyValues, .jsonTrailingBytes, .jsonNotObject,
            .fieldTypeInvalid, .numberNotInteger, .listTooLong, .stringTooLong:
            (false, true)
        }
    }

    static let fieldInvalid = Problem.fieldInvalid("userId", "a whole number from 1 to \(IdentifierLimits.max)")

    /// The actual words of the readers of queries and bodies: each sample is read by them.
    static func example(of code: InputError.Code) -> InputError {
        let depth = JSONObject.depthMax
        switch code {
        case .escapeInvalid: return self.errorOfQuery("concertId=%zz")
        case .textInvalid: return self.errorOfQuery("concertId=%ff")
        case .parametersTooMany:
            return self.errorOfQuery(
                Array(repeating: "a=1", count: QueryParameters.countMax + 1).joined(separator: "&")
            )
        case .numberInvalid: return self.errorOfQuery("concertId=one")
        case .bodyEmpty: return self.errorOfBody("")
        case .jsonInvalid: return self.errorOfBody(#"{"concertId":}"#)
        case .jsonByteOrderMark: return self.errorOfBody("\u{FEFF}{}")
        case .jsonTextInvalid: return self.errorOfBody([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
        case .jsonEscapeInvalid: return self.errorOfBody(#"{"\q":1}"#)
        case .jsonNumberInvalid: return self.errorOfBody(#"{"concertId":01}"#)
        case .jsonTooDeep:
            let open = String(repeating: "[", count: depth)
            return self.errorOfBody(#"{"a":\#(open)\#(String(repeating: "]", count: depth))}"#)
        case .jsonTooManyMembers:
            let members = (0...JSONObject.memberCountMax).map { "\"\($0)\":0" }.joined(separator: ",")
            return self.errorOfBody("{\(members)}")
        case .jsonTooManyValues:
            let values = Array(repeating: "0", count: JSONObject.valueCountMax).joined(separator: ",")
            return self.errorOfBody(#"{"concertId":[\#(values)]}"#)
        case .jsonTrailingBytes: return self.errorOfBody("{} {}")
        case .jsonNotObject: return self.errorOfBody("[]")
        case .fieldMissing: return self.errorOfQuery("")
        case .fieldRepeated: return self.errorOfQuery("concertId=1&concertId=2")
        case .fieldTypeInvalid: return self.errorOfBody(#"{"concertId":"1"}"#)
        case .numberNotInteger: return self.errorOfBody(#"{"concertId":1.5}"#)
        case .numberOutOfRange: return self.errorOfQuery("concertId=99999999999999999999")
        case .listTooLong:
            let ids = (1...Router.listCountMax + 1).map { "\($0)" }.joined(separator: ",")
            return self.errorOfBody(#"{"concertId":1,"seatIds":[\#(ids)]}"#)
        // No field of today's calls is a text.
        case .stringTooLong: return InputError(.stringTooLong, field: "name", "is too long")
        }
    }

    private static func errorOfQuery(_ text: String) -> InputError {
        self.error(Array(text.utf8)) { bytes throws(InputError) in
            _ = try QueryParameters(bytes).integer("concertId")
        }
    }

    private static func errorOfBody(_ text: String) -> InputError { self.errorOfBody(Array(text.utf8)) }

    private static func errorOfBody(_ bytes: [UInt8]) -> InputError {
        self.error(bytes) { bytes throws(InputError) in
            let body = try JSONObject(bytes)
            _ = try body.integer("concertId")
            _ = try body.integers("seatIds", countMax: Router.listCountMax)
        }
    }

    private static func error(_ bytes: [UInt8], _ read: (ByteView) throws(InputError) -> Void) -> InputError {
        bytes.withUnsafeBytes { bytes in
            do throws(InputError) {
                try read(ByteView(bytes))
                preconditionFailure("an example of an error is none")
            } catch {
                return error
            }
        }
    }
}
