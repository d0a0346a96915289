/// The content of a genuine token: a user's place in a concert's line, and when it was given. The gateway has checked
/// the signature; only the line knows whether the place is still valid.
public struct Pass: Hashable, Sendable {
    public let concert: ConcertID
    public let user: UserID
    public let place: Place
    /// When the place was given. Part of the token's identity: a place from another life of the line does not match.
    public let issuedAt: Timestamp

    public init(concert: ConcertID, user: UserID, place: Place, issuedAt: Timestamp) {
        self.concert = concert
        self.user = user
        self.place = place
        self.issuedAt = issuedAt
    }
}
