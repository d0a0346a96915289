import Booking
import Wire

/// Limits by user: once a request is read, it says whose it is.
extension GatewayServer {
    /// Nil where the user may ask. Clients that are left alone are not looked up. `isKnown` says that a login vouches for the
    /// user, also where no token does.
    func refusalOfUser(_ call: Call, isKnown: Bool = false) -> Problem? {
        guard self.http.caller != nil, case .ask(let question) = call, let asker = question.asker,
            let wait = self.http.takeToken(of: Asker(asker.user, isVouched: asker.isVouched || isKnown))
        else { return nil }
        self.http.note(\.requestsByUser)
        return .tooManyRequests(ofUser: wait)
    }
}
