import Booking
import Configuration
import Edge
import Wire

/// Requests about somebody, while `identity.mode` says that they have to prove who they are.
extension GatewayServer {
    /// What the check of a signature takes, in requests: up to a hundred microseconds. A login whose signature is right is checked
    /// once, and gets them back.
    private static let requestsPerSignature = 8

    func handle(_ request: HTTPRequest, from client: Gateway.Client, knownBy identity: IdentityCheck) -> AnswerSize {
        let header = request[.authorization]
        let now = self.clock.now.seconds
        switch identity.identify(header, at: now) {
        case .refused(let problem):
            self.answer(problem, client)
            return .small
        case .known(let user):
            let routed = self.route(request, askedBy: user)
            if let problem = self.refusalOfUser(routed, isKnown: true) {
                self.answer(problem, client)
                return .small
            }
            self.carryOut(routed, from: client)
            return Self.size(of: routed)
        case .claimed(let claim):
            // The request's bytes are gone when the check is over, so it is read now, as if the token were right.
            let routed = self.route(request, askedBy: claim.token.user)
            if let problem = self.refusalOfUser(routed, isKnown: false) {
                self.answer(problem, client)
                return .small
            }
            let logEntry = self.logEntry
            self.http.charge(client, requests: Self.requestsPerSignature)
            identity.verify(claim, header ?? .empty, at: now) { [unowned self] problem in
                self.logEntry = logEntry
                if let problem { return self.answer(problem, client) }
                self.http.charge(client, requests: -Self.requestsPerSignature)
                self.carryOut(routed, from: client)
            }
            return Self.size(of: routed)
        }
    }

    private func refusalOfUser(_ routed: Result<RoutedCall, Problem>, isKnown: Bool) -> Problem? {
        guard case .success(let routed) = routed else { return nil }
        return self.refusalOfUser(routed.call, isKnown: isKnown)
    }

    private func carryOut(_ routed: Result<RoutedCall, Problem>, from client: Gateway.Client) {
        switch routed {
        // What may be cached is about nobody.
        case .success(let routed): self.carryOut(routed, ifNoneMatch: nil, from: client)
        case .failure(let problem): self.answer(problem, client)
        }
    }

    private static func size(of routed: Result<RoutedCall, Problem>) -> AnswerSize {
        (try? routed.get()).map { Self.size(of: $0) } ?? .small
    }

    private func route(_ request: HTTPRequest, askedBy user: UserID) -> Result<RoutedCall, Problem> {
        do throws(Problem) { return .success(try self.router.route(request, askedBy: user)) } catch {
            return .failure(error)
        }
    }
}
