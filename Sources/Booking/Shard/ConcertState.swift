/// Everything that one concert is about: its line, its seats, its payments and cancellations. Lives whole on one shard.
final class ConcertState {
    let concert: Concert
    var line: Line
    var seats: Seats
    var payments = Payments()
    var cancellations = Cancellations()

    init(_ concert: Concert, hashSeed: UInt64) {
        self.concert = concert
        self.line = Line(
            rules: concert.rules.line,
            opensAt: concert.opensAt,
            endsAt: concert.endsAt,
            hashSeed: hashSeed
        )
        self.seats = Seats(concert.schedules)
    }

    func checkInvariants(lineToo: Bool) {
        if lineToo, let violation = self.line.checkInvariants() {
            preconditionFailure("concert \(self.concert.id): \(violation)")
        }
        self.seats.checkInvariants()
        self.payments.checkInvariants(against: self.seats)
        self.cancellations.checkInvariants(against: self.seats)
        self.seats.checkCancelled { self.cancellations.cancellation(of: $0)?.balance != nil }
    }
}
