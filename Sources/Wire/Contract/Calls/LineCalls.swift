import Booking

// The line: joining it, asking for one's place, leaving.

extension Router {
    func join(_ request: HTTPRequest) throws -> RoutedCall {
        let body = try JSONObject(request.body)
        let concert: ConcertID = try Self.id(in: body, "concertId")
        let user = try self.user(in: body)
        return RoutedCall(.ask(.join(try self.known(concert), user)))
    }

    func poll(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, token) = try self.passOfPlace(request)
        return RoutedCall(.ask(.poll(pass)), token: token)
    }

    func leave(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, token) = try self.passOfPlace(request)
        return RoutedCall(.ask(.leave(pass)), token: token)
    }
}

extension AnswerWriter {
    func joined(
        _ reply: Reply,
        _ request: Request,
        _ token: TokenText,
        _ head: inout HTTPResponse,
        _ output: inout OutputBytes
    ) {
        guard case .joined(let joined) = reply, case .join(let concert, let user) = request else { return }
        head.retryAfterSeconds = self.pause(for: joined.standing, of: concert)
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("concertId", concert.rawValue)
        Self.append("tokenId", token, &output)
        self.append("createdAt", joined.issuedAt, &output)
        output.member("place", joined.place.rawValue)
        Self.appendMembers(joined.standing, &output)
        output.closeObject()
    }

    func standing(
        _ reply: Reply,
        _ request: Request,
        _ token: TokenText,
        _ head: inout HTTPResponse,
        _ output: inout OutputBytes
    ) {
        guard case .standing(let standing) = reply, case .poll(let pass) = request else { return }
        head.retryAfterSeconds = self.pause(for: standing, of: pass.concert)
        output.openObject()
        Self.append("tokenId", token, &output)
        Self.appendMembers(standing, &output)
        output.closeObject()
    }

    func left(_ reply: Reply, _ request: Request, _ token: TokenText, _ output: inout OutputBytes) {
        guard case .left = reply, case .leave(let pass) = request else { return }
        output.openObject()
        output.member("userId", pass.user.rawValue)
        output.member("concertId", pass.concert.rawValue)
        Self.append("tokenId", token, &output)
        output.closeObject()
    }

    private static func appendMembers(_ standing: Standing, _ output: inout OutputBytes) {
        output.member("remainingWaitingOrder", standing.order)
        output.member("remainingWaitingSec", standing.seconds)
    }

    /// The pause before the next poll, short enough to keep the place alive; nil once admitted.
    private func pause(for standing: Standing, of concert: ConcertID) -> UInt32? {
        guard let pause = self.pollPause.seconds(for: standing) else { return nil }
        guard pause > self.shortPause else { return pause }
        return min(pause, self.catalogue[concert]?.rules.pollPauseSecondsMax ?? self.shortPause)
    }
}

extension ContractDocument {
    static func join(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "joinLine",
            tag: "line",
            summary: "Join a concert's line",
            description: """
                Who joins again while waiting or inside gets the same token and place. `remainingWaitingOrder` 1 is next, \
                0 is inside. `remainingWaitingSec` is an estimate: the time to the opening, and then the later of the place \
                divided by the rate of admission and the time until enough places inside come free, as lately or else by the \
                lifetimes. `Retry-After`, a tenth of it in most lines, says when to poll.
                """,
            body: ("Joining", ["concertId": 1, "userId": 1001]),
            answer: (
                .reference("schemas/Joined"),
                [
                    "userId": 1001, "concertId": 1, "tokenId": .text(self.exampleToken),
                    "createdAt": "2026-07-01 20:00:00", "place": 1, "remainingWaitingOrder": 1,
                    "remainingWaitingSec": 1,
                ]
            ),
            mayPause: true,
            refusals: [.unknownConcert, .concertOver] + self.change,
            links: [
                "poll": self.link("poll", ["concertId": "$response.body#/concertId"], token: "$response.body#/tokenId"),
                "leave": self.link(
                    "leaveLine",
                    ["concertId": "$response.body#/concertId"],
                    token: "$response.body#/tokenId"
                ),
                "reserve": self.link(
                    "reserve",
                    [:],
                    token: "$response.body#/tokenId",
                    body: ["concertId": "$response.body#/concertId", "concertScheduleId": 1, "seatIds": [1]]
                ),
            ]
        )
    }

    static func poll(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "poll",
            tag: "line",
            summary: "One's place in line",
            description: """
                `remainingWaitingSec` is an estimate, as when joining. `Retry-After` says when \
                to ask again.
                """,
            parameters: [self.concertQuery, self.tokenParameter],
            answer: (
                .reference("schemas/Standing"),
                ["tokenId": .text(self.exampleToken), "remainingWaitingOrder": 120, "remainingWaitingSec": 3]
            ),
            answerRemark: "Both numbers are 0 once inside.",
            mayPause: true,
            refusals: [.concertOver] + self.question,
            problems: [.tokenNotFound(self.exampleToken)]
        )
    }

    static func leave(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "leaveLine",
            tag: "line",
            summary: "Leave the line",
            parameters: [self.concertQuery, self.tokenParameter],
            answer: (
                .reference("schemas/Left"),
                ["userId": 1001, "concertId": 1, "tokenId": .text(self.exampleToken)]
            ),
            answerRemark: "Everyone behind moves up.",
            refusals: [.concertOver] + self.change,
            problems: [.tokenNotFound(self.exampleToken)]
        )
    }
}
