import Booking

/// The contract for programs: an OpenAPI 3.1 document of every call, code and limit, with examples.
///
/// It is made from what the gateway itself goes by: paths and methods from the table of routes, codes and messages from
/// `Problem`, bounds of ids, amounts and lists from the types that obey them, limits from the settings in force. What is
/// written here beside them are words, the shapes of answers, and which codes a call may answer; tests hold those
/// against a running cluster.
///
///     ContractDocument            the whole
///       +Calls                    what rows of calls are made of; the rows: `Calls/`    DocumentedCall
///       +Codes                    when each code is said
///       +Examples                 what their examples are made of
///       +Problems                 codes: their groups, and an example of each
///       +Schemas                  what bodies look like
public enum ContractDocument {
    /// Changes with calls, fields or codes: the second number when some are added, the first when any is removed.
    public static let version = "1.1.0"

    /// A limit in force, from the settings.
    public struct Limit: Equatable, Sendable {
        public let name: String
        public let value: Int
        public let unit: String
        public let meaning: String

        public init(name: String, value: Int, unit: String, meaning: String) {
            self.name = name
            self.value = value
            self.unit = unit
            self.meaning = meaning
        }
    }

    /// The parts of the contract that the settings decide.
    public struct Limits: Equatable, Sendable {
        public let list: [Limit]
        /// Whether requests about a user must carry a login token.
        public let asksForLogin: Bool

        public init(_ list: [Limit], asksForLogin: Bool) {
            self.list = list
            self.asksForLogin = asksForLogin
        }
    }

    /// The document in UTF-8, some 100 KB. Takes milliseconds: make it once.
    public static func json(limits: Limits) -> [UInt8] {
        var output = OutputBytes()
        self.document(limits).append(to: &output)
        return output.array
    }

    private static func document(_ limits: Limits) -> DocumentValue {
        var components: DocumentValue = [
            "parameters": self.parameters,
            "headers": self.headers,
            "responses": self.sharedResponses,
            "examples": self.problemExamples,
            "schemas": self.schemas,
        ]
        if limits.asksForLogin { components = components.with(["securitySchemes": self.securitySchemes]) }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Usher",
                "summary": "A waiting line in front of a concert's sale, and the booking behind it.",
                "description": .text(self.introduction),
                "version": .text(self.version),
                "license": ["name": "Apache License 2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/", "description": "This gateway, or the front that passes requests on to it."]],
            "tags": self.tags,
            "paths": self.paths(limits),
            "components": components,
            "x-limits": .object(
                limits.list.map { limit in
                    let value: DocumentValue = [
                        "value": .whole(Int64(limit.value)), "unit": .text(limit.unit),
                        "description": .text(limit.meaning),
                    ]
                    return (limit.name, value)
                }
            ),
            "x-answers-to-other-requests": [
                "404": .reference("responses/NotFound"), "405": .reference("responses/MethodNotAllowed"),
            ],
        ]
    }

    private static let introduction = """
        Join a concert's line (`POST /api/v1/waiting`), poll until `remainingWaitingOrder` is 0, then reserve seats and \
        pay for them with the same token. `HEAD` works wherever `GET` does, and `OPTIONS` on every path says what it \
        answers. Fields that are not named here are ignored, and answers may gain fields. Every error is \
        `{"code", "message"}`: programs read `code`, which never changes. After a 408, 413, 414, 417, 431, 501 or 505, \
        and after a 400 whose code is one of `ConnectionCode`, the connection is closed. Times are \
        `yyyy-MM-dd HH:mm:ss` in the service's time zone, money is a whole number of won. `x-limits` has the limits \
        in force.
        """

    private static let tags: DocumentValue = [
        ["name": "concerts", "description": "What is sold."],
        ["name": "line", "description": "Who waits, and who is next."],
        ["name": "seats", "description": "Holding seats, and giving them back."],
        ["name": "payment", "description": "Paying for held seats, and cancelling what is paid."],
        ["name": "points", "description": "What is paid with."],
        ["name": "contract", "description": "This document."],
    ]

    private static func paths(_ limits: Limits) -> DocumentValue {
        let calls = self.calls
        return .object(
            RouteTable.contract.allPaths.map { path in
                var members: [(name: String, value: DocumentValue)] = [
                    ("x-allow", .text("\(path.allow)")),
                    ("parameters", [.reference("parameters/AcceptLanguage")]),
                ]
                members += calls.filter { ByteView($0.route.path) == path.text }
                    .map { ($0.methodName, $0.value(asksForLogin: limits.asksForLogin)) }
                return ("\(path.text)", .object(members))
            }
        )
    }

    /// Required for a call about a user.
    static let loginNeeded: DocumentValue = [["Login": []]]

    private static let securitySchemes: DocumentValue = [
        "Login": [
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The token of a login: a JSON Web Token that names the user whom the request is about.",
        ]
    ]

    // MARK: Headers of requests and answers

    static let parameters: DocumentValue = [
        "ConcertToken": [
            "name": "X-Concert-Token", "in": "header", "required": true,
            "description": "The token that joining gave. Take it as it is: its inside is nobody's business.",
            "schema": .reference("schemas/Token"),
        ],
        "IdempotencyKey": [
            "name": "Idempotency-Key", "in": "header",
            "description": """
            Made up by the client, new for each request it means. The same key from the same user within 24 hours \
            is carried out once, and gets the first answer word for word.
            """,
            "schema": [
                "type": "string", "minLength": 1, "maxLength": .whole(Int64(IdempotencyKey.bytesMax)),
                "pattern": "^[!-~]+$",
            ],
            "example": "4f8a1c52-93c0-4a5e-8f57-0d6a4be1c0de",
        ],
        "AcceptLanguage": [
            "name": "Accept-Language", "in": "header",
            "description": "The language of messages: Korean, or English where it is liked better.",
            "schema": ["type": "string"], "example": "en",
        ],
        "IfNoneMatch": [
            "name": "If-None-Match", "in": "header",
            "description": "An ETag of before: 304 while it still holds.", "schema": ["type": "string"],
        ],
    ]

    private static let headers: DocumentValue = [
        "RetryAfter": [
            "description": "Seconds after which to ask again. Sooner gains nothing.",
            "schema": ["type": "integer", "minimum": 1],
        ],
        "CacheControl": ["description": "How long the answer may be kept.", "schema": ["type": "string"]],
        "ETag": [
            "description": "Of this body, for If-None-Match.",
            "schema": ["type": "string", "pattern": "^\"[0-9a-f]{16}\"$"],
        ],
        "Allow": ["description": "The methods that the path answers.", "schema": ["type": "string"]],
        "WWWAuthenticate": ["description": "The scheme to authenticate by.", "schema": ["type": "string"]],
        "AcceptEncoding": ["description": "The content codings that a request may use.", "schema": ["type": "string"]],
    ]
}
