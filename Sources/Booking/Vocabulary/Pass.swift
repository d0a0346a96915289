/// What a genuine token says: who waits or is inside, for which concert, at which place, since when.
/// Its signature was checked at the gateway; whether the place is still theirs only the line knows.
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
