/// How many of everything there are: for statistics, and for checking that the books are right.
extension Shard {
    public struct ConcertCensus: Equatable, Sendable {
        public let concert: ConcertID
        public let line: Line.Totals
        public let seatsHeld: Int
        public let seatsSold: Int
        public let seatsFree: Int
        public let paymentsOpen: Int
        public let paymentsDone: Int
        public let paymentsRefused: Int
    }

    public struct PointsCensus: Equatable, Sendable {
        public let accounts: Int
        public let charged: Won
        public let used: Won
        public let balances: Won
    }

    /// In the order of concert ids. O(concerts): every number in it is kept, not counted.
    public var concertCensus: [ConcertCensus] {
        self.concertsInOrder.map { state in
            ConcertCensus(
                concert: state.concert.id,
                line: state.line.totals,
                seatsHeld: state.seats.heldCount,
                seatsSold: state.seats.soldCount,
                seatsFree: state.seats.seatCount - state.seats.heldCount - state.seats.soldCount,
                paymentsOpen: state.payments.openCount,
                paymentsDone: state.payments.doneCount,
                paymentsRefused: state.payments.refusedCount
            )
        }
    }

    public var pointsCensus: PointsCensus {
        PointsCensus(
            accounts: self.points.accountCount,
            charged: self.points.charged,
            used: self.points.used,
            balances: self.points.balances
        )
    }
}
