/// Counts of everything, for statistics and for checking the books.
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
        public let cancellationsOpen: Int
        public let cancellationsDone: Int
        /// The price of all sold seats.
        public let takings: Won
    }

    public struct PointsCensus: Equatable, Sendable {
        public let accounts: Int
        public let charged: Won
        public let used: Won
        public let balances: Won
        /// For payments, as part of `used`, and for cancellations, as part of `charged`.
        public let debited: Won
        public let credited: Won
    }

    /// The counts of kept answers.
    public struct AnswerCensus: Equatable, Sendable {
        /// To clients' keys.
        public let keys: Int
        /// To operations that gateways may resend.
        public let resends: Int
        public let countMax: Int
        /// The bound of `keys`: at this count, new ones are refused.
        public let keyCountMax: Int
        public let bytes: Int

        /// Whether the keys are at nine tenths of their bound.
        public var isNearlyFull: Bool { self.keys >= self.keyCountMax - self.keyCountMax / 10 }
    }

    /// In the order of concert ids. O(concerts): every number is stored, not counted.
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
                paymentsRefused: state.payments.refusedCount,
                cancellationsOpen: state.cancellations.openCount,
                cancellationsDone: state.cancellations.doneCount,
                takings: state.seats.takings
            )
        }
    }

    public var pointsCensus: PointsCensus {
        PointsCensus(
            accounts: self.points.accountCount,
            charged: self.points.charged,
            used: self.points.used,
            balances: self.points.balances,
            debited: self.points.debited,
            credited: self.points.credited
        )
    }

    public var answerCensus: AnswerCensus {
        AnswerCensus(
            keys: self.answers.keyCount,
            resends: self.answers.resendCount,
            countMax: self.answers.limits.countMax,
            keyCountMax: self.answers.limits.keyCountMax,
            bytes: self.answers.bytes
        )
    }
}
