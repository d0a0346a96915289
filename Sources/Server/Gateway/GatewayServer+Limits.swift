import Booking
import Edge
import Statistics
import Wire

/// Limits by user: once a request is read, it says whose it is.
extension GatewayServer {
    /// Nil where the user may ask. Clients that are left alone are not looked up. `isKnown` says that a login vouches for the
    /// user, also where no token does.
    func refusalOfUser(_ call: Call, isKnown: Bool = false) -> Problem? {
        guard self.http.caller != nil, case .ask(let question) = call, let subject = question.subject,
            let wait = self.http.consumeToken(
                of: RateLimitSubject(subject.user, isAuthenticated: subject.isAuthenticated || isKnown)
            )
        else { return nil }
        self.http.note(\.requestsByUser)
        return .tooManyRequests(ofUser: wait)
    }

    /// The address that a key of the request at hand counts for. None where logins prove who asks, as no address has many of
    /// those, nor for addresses that are trusted.
    func addressTag(of client: Gateway.Client) -> AddressTag? {
        guard self.identity == nil, let address = self.http.untrustedAddress(of: client) else { return nil }
        return self.router.tokens.tag(of: address)
    }
}
