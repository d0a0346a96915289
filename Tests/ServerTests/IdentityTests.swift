import Foundation
import Glibc
import TestSupport
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// Requests that have to prove who asks, against real clusters: `identity.mode=jwt`.
@Suite struct IdentityTests {
    private static func path() -> String { "/tmp/usher-j\(UInt32.random(in: 0 ... .max))" }

    /// A cluster that takes tokens of `login`, and the path of its keys.
    private static func withCluster(
        _ login: Login,
        _ keys: String? = nil,
        _ arguments: [String] = [],
        _ body: (BookingClient, String, TestCluster) throws -> Void
    ) throws {
        let path = Self.path()
        defer { unlink(path) }
        try (keys ?? login.keySet()).write(toFile: path, atomically: false, encoding: .utf8)
        let settings = [
            "identity.mode=jwt", "identity.keyFile=\(path)", "identity.audience=usher",
            "identity.issuer=https://login.example",
        ]
        let cluster = try TestCluster(arguments: settings.flatMap { ["--set", $0] } + arguments)
        try cluster.waitUntilUp()
        try body(BookingClient(port: try cluster.file().port), path, cluster)
    }

    private static func bearer(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }

    private static func join(_ client: BookingClient, _ user: Int?, _ headers: [String]) throws -> Answer {
        let named = user.map { #","userId":\#($0)"# } ?? ""
        return try client.call("POST", "/api/v1/waiting", body: #"{"concertId":1\#(named)}"#, headers)
    }

    @Test func `a token of each algorithm says who asks, and userId may be left out`() throws {
        let login = Login()
        try Self.withCluster(login) { client, _, cluster in
            for (user, kind) in zip(1..., Login.Kind.allCases) {
                let who = Self.bearer(login.token(kind, of: user))
                let joined = try Self.join(client, user, who)
                #expect(joined.status == 200 && joined.json["userId"] == .whole(Int64(user)), "\(kind): \(joined)")
                #expect(try Self.join(client, nil, who).json["tokenId"] == joined.json["tokenId"])
                let token = try #require(joined.json["tokenId"].string)
                for _ in 0..<3 {
                    #expect(try client.call("GET", "/api/v1/waiting?concertId=1", token: token, who).status == 200)
                }
                let charged = try client.call("POST", "/api/v1/point/charge?amount=5", who)
                #expect(charged.json["userId"] == .whole(Int64(user)) && charged.json["balance"] == 5)
                for target in ["/api/v1/point", "/api/v1/point-history", "/api/v1/reservation?concertId=1"] {
                    #expect(try client.call("GET", target, who).status == 200, "\(target)")
                }
            }
            // A number as a claim, a list of audiences, and a time from which on it is valid.
            let claims = Login.claims(9, ["sub": "9", "aud": #"["else","usher"]"#, "nbf": "1700000000"])
            #expect(try Self.join(client, 9, Self.bearer(login.token(.es256, claims))).status == 200)
            // What is about nobody needs nobody.
            for target in [
                "concerts", "concert/schedules?concertId=1", "concert/seats?concertId=1&concertScheduleId=1",
            ] {
                #expect(try client.call("GET", "/api/v1/\(target)").status == 200)
            }
            #expect(try client.call("GET", "/nothing").status == 404)
            let stats = try JSONDecoder().decode(
                ClusterStats.self,
                from: Data(StatsCommand.text(cluster.state, json: true).utf8)
            )
            let counts = try #require(stats.gateways[0].identity)
            #expect(counts.verified == 5 && counts.fromCache == 32 && counts.refused == 0)
        }
    }

    @Test func `a token that is not good is refused, each with its code`() throws {
        let (login, stranger) = (Login(), Login())
        let now = Int(Date().timeIntervalSince1970)
        let good = login.token(.es256, of: 1)
        let parts = good.split(separator: ".").map(String.init)
        func claims(_ more: [String: String?]) -> String { login.token(.es256, Login.claims(1, more)) }
        func header(_ text: String, _ kind: Login.Kind = .es256) -> String {
            login.token(kind, Login.claims(1), header: text)
        }
        let none = Login.base64url(Data(#"{"alg":"none"}"#.utf8)) + ".\(parts[1])."
        // The public key of one algorithm as the secret of another (RFC 8725, section 2.1).
        let confused = header(#"{"alg":"HS256","kid":"ES256"}"#, .hs256)
        let cases: [(String, String)] = [
            ("IDENTITY_EXPIRED", claims(["exp": "\(now - 31)"])),
            ("IDENTITY_EXPIRED", claims(["exp": "0"])),
            ("IDENTITY_NOT_YET_VALID", claims(["nbf": "\(now + 90)"])),
            ("IDENTITY_AUDIENCE_WRONG", claims(["aud": #""other""#])),
            ("IDENTITY_AUDIENCE_WRONG", claims(["aud": #"["other","usherette"]"#])),
            ("IDENTITY_AUDIENCE_WRONG", claims(["aud": nil])),
            ("IDENTITY_ISSUER_WRONG", claims(["iss": #""https://evil.example""#])),
            ("IDENTITY_ISSUER_WRONG", claims(["iss": nil])),
            ("IDENTITY_USER_MISSING", claims(["sub": nil])),
            ("IDENTITY_USER_MISSING", claims(["sub": #""ann""#])),
            ("IDENTITY_USER_MISSING", claims(["sub": "0"])),
            ("IDENTITY_MALFORMED", claims(["exp": nil])),
            ("IDENTITY_MALFORMED", claims(["exp": "1e10"])),
            ("IDENTITY_MALFORMED", "abc"),
            ("IDENTITY_MALFORMED", "a.b.c.d"),
            ("IDENTITY_MALFORMED", parts[0] + "." + parts[1]),
            ("IDENTITY_MALFORMED", good + "="),
            ("IDENTITY_MALFORMED", header(#"{"alg":"ES256","kid":"ES256","crit":["exp"]}"#)),
            ("IDENTITY_ALGORITHM_REFUSED", none),
            ("IDENTITY_ALGORITHM_REFUSED", header(#"{"alg":"None","kid":"ES256"}"#)),
            ("IDENTITY_ALGORITHM_REFUSED", header(#"{"alg":"HS512","kid":"HS256"}"#, .hs256)),
            ("IDENTITY_ALGORITHM_REFUSED", header(#"{"kid":"ES256"}"#)),
            ("IDENTITY_ALGORITHM_REFUSED", confused),
            ("IDENTITY_KEY_UNKNOWN", header(#"{"alg":"ES256","kid":"another"}"#)),
            ("IDENTITY_SIGNATURE_INVALID", stranger.token(.hs256, of: 1)),
            ("IDENTITY_SIGNATURE_INVALID", stranger.token(.es256, of: 1)),
            ("IDENTITY_SIGNATURE_INVALID", stranger.token(.rs256, of: 1)),
            ("IDENTITY_SIGNATURE_INVALID", stranger.token(.edDSA, of: 1)),
            ("IDENTITY_SIGNATURE_INVALID", parts[0] + "." + parts[1] + "."),
            (
                "IDENTITY_SIGNATURE_INVALID",
                parts[0] + "." + Login.base64url(Data(Login.claims(2).utf8)) + "." + parts[2]
            ),
        ]
        try Self.withCluster(login) { client, _, cluster in
            for (code, token) in cases {
                let answer = try Self.join(client, nil, Self.bearer(token))
                #expect(answer.status == 401 && answer.code == code, "\(token): \(answer)")
                #expect(answer["WWW-Authenticate"] == #"Bearer realm="usher", error="invalid_token""#)
            }
            for target in ["/api/v1/point?userId=1", "/api/v1/point", "/api/v1/waiting?concertId=1"] {
                let answer = try client.call("GET", target)
                #expect(answer.status == 401 && answer.code == "IDENTITY_MISSING", "\(target)")
                #expect(answer["WWW-Authenticate"] == #"Bearer realm="usher""#)
            }
            let basic = try client.call("GET", "/api/v1/point?userId=1", ["Authorization: Basic YTpi"])
            #expect(basic.code == "IDENTITY_MALFORMED")
            // Without a key's name the only key of the algorithm is meant.
            #expect(try Self.join(client, 1, Self.bearer(header(#"{"alg":"ES256"}"#))).status == 200)
            #expect(!cluster.errorText.contains(parts[2]))
        }
    }

    @Test func `nobody reads or changes what is another's, though they know the user, the token and the key`() throws {
        let login = Login()
        try Self.withCluster(login) { client, _, _ in
            let (owner, thief) = (
                Self.bearer(login.token(.edDSA, of: 1)), Self.bearer(login.token(.edDSA, of: 2))
            )
            let token = try #require(try Self.join(client, 1, owner).json["tokenId"].string)
            let charge = "/api/v1/point/charge?userId=1&amount=500000"
            #expect(try client.call("POST", charge, owner + ["Idempotency-Key: k"]).status == 200)
            let reservation = #"{"concertId":1,"concertScheduleId":1,"seatIds":[1]}"#
            let held = try client.call("POST", "/api/v1/reservation", token: token, body: reservation, owner)
            let id = try #require(held.json[0]["reservationId"].whole)
            let ids = #"{"concertId":1,"userId":1,"reservationIds":[\#(id)]}"#
            let attempts: [(String, String, token: String?, body: String?)] = [
                ("POST", "/api/v1/waiting", nil, #"{"concertId":1,"userId":1}"#),
                ("GET", "/api/v1/waiting?concertId=1", token, nil),
                ("DELETE", "/api/v1/waiting?concertId=1", token, nil),
                ("POST", "/api/v1/reservation", token, reservation),
                ("DELETE", "/api/v1/reservation", token, ids),
                ("GET", "/api/v1/reservation?concertId=1&userId=1", nil, nil),
                ("POST", "/api/v1/reservation/cancel", nil, ids),
                ("POST", "/api/v1/payment", token, ids),
                ("POST", charge, nil, nil),
                ("POST", "/api/v1/point/use?userId=1&amount=5", nil, nil),
                ("GET", "/api/v1/point?userId=1", nil, nil),
                ("GET", "/api/v1/point-history?userId=1", nil, nil),
            ]
            for (method, target, token, body) in attempts {
                // The second time its token is known, and nothing waits for a check.
                for _ in 0..<2 {
                    let headers = thief + ["Idempotency-Key: k"]
                    let answer = try client.call(method, target, token: token, body: body, headers)
                    #expect(
                        answer.status == 403 && answer.code == "IDENTITY_OTHER_USER",
                        "\(method) \(target): \(answer)"
                    )
                }
            }
            let list = try client.call("GET", "/api/v1/reservation?concertId=1", owner)
            #expect(list.json[0]["reservationStatus"] == "SUSPEND")
            #expect(try client.call("GET", "/api/v1/point", owner).json["balance"] == 500_000)
        }
    }

    @Test func `keys that change are read again, and what the old ones signed is over`() throws {
        let (old, new) = (Login("old-"), Login("new-"))
        try Self.withCluster(old) { client, path, cluster in
            let (first, second) = (
                Self.bearer(old.token(.hs256, of: 1)), Self.bearer(new.token(.hs256, of: 1))
            )
            #expect(try client.call("GET", "/api/v1/point", first).status == 200)
            #expect(try client.call("GET", "/api/v1/point", second).code == "IDENTITY_KEY_UNKNOWN")
            try "{".write(toFile: path, atomically: true, encoding: .utf8)
            try TestCluster.eventually("the spoilt file is told") {
                cluster.errorText.contains("keys of logins not read, the old ones go on")
            }
            #expect(try client.call("GET", "/api/v1/point", first).status == 200)
            try new.keySet().write(toFile: path, atomically: true, encoding: .utf8)
            try TestCluster.eventually("the new keys are known") {
                try client.call("GET", "/api/v1/point", second).status == 200
            }
            #expect(try client.call("GET", "/api/v1/point", first).code == "IDENTITY_KEY_UNKNOWN")
        }
    }

    @Test func `answers keep the order of requests while signatures are checked`() throws {
        let login = Login()
        try Self.withCluster(login, nil, ["--shards", "4"]) { client, _, _ in
            // A token is new at its first request and known later on; some requests need none, some are refused.
            let kinds = Login.Kind.allCases
            let tokens = (0..<12).map { login.token(kinds[$0 % 4], of: 100 + $0) }
            let forged = Login().token(.rs256, of: 5)
            let requests: [(String, Int, Int64?)] = (0..<240).map { number in
                let user = number % 12
                switch number % 5 {
                case 0: return (BookingClient.request("GET", "/api/v1/concerts"), 200, nil)
                case 1: return (BookingClient.request("GET", "/api/v1/point", Self.bearer(forged)), 401, nil)
                default:
                    let headers = Self.bearer(tokens[user])
                    return (BookingClient.request("GET", "/api/v1/point", headers), 200, Int64(100 + user))
                }
            }
            let connection = try TestConnection(port: client.port)
            try connection.send(requests.map(\.0).joined())
            for (number, request) in requests.enumerated() {
                let answer = try connection.answer()
                #expect(answer.status == request.1, "\(number): \(answer)")
                if let user = request.2 { #expect(answer.json["userId"] == .whole(user), "\(number)") }
            }
        }
    }

    @Test func `one public key in PEM will do, and a private one is refused`() throws {
        let login = Login()
        try Self.withCluster(login, login.pem) { client, _, _ throws in
            let token = login.token(.es256, Login.claims(3), header: #"{"alg":"ES256"}"#)
            #expect(try Self.join(client, 3, Self.bearer(token)).status == 200)
            #expect(
                try Self.join(client, 3, Self.bearer(login.token(.es256, of: 3))).code == "IDENTITY_KEY_UNKNOWN"
            )
        }
        for (text, reason) in [
            ("", "is no key set, and no key"), ("{\"keys\": []}", "has no key for HS256, ES256, RS256 or EdDSA"),
            (#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#, "key 1 has no secret of 32 bytes at least, in base64url"),
            (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}"#, "key 1 is a private key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds a private key"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no public key of P-256"),
        ] {
            let file = try TemporaryFile(text)
            let error = #expect(throws: StartError.self) { try IdentityKeys.load(file.path) }
            #expect(error?.problem.contains(reason) == true, "\(String(describing: error))")
        }
        let nowhere = try TestCluster(arguments: ["--set", "identity.mode=jwt", "--set", "identity.keyFile=/nowhere"])
        #expect(nowhere.waitUntilOver() == 1 && nowhere.errorText.contains("identity.keyFile /nowhere"))
        let unnamed = try TestCluster(arguments: ["--set", "identity.mode=jwt"])
        #expect(unnamed.waitUntilOver() != 0 && unnamed.errorText.contains("identity.mode is jwt"))
    }
}
