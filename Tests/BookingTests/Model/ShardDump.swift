@testable import Booking

/// Everything that a shard's facts say, as one comparable value: a restart must restore it.
struct ShardDump: Equatable {
    struct ConcertDump: Equatable {
        let id: ConcertID
        let totals: Line.Totals
        let nextPlace: Place
        let admissionDue: Timestamp
        var people: [Line.Entry] = []
        var orders: [UInt64?] = []
        let remaining: [UInt32]
        let statuses: [[SeatStatus]?]
        let heldCount: Int
        let soldCount: Int
        let reservations: [[Reservation]]
        let payments: [Payments.Payment?]
        let paymentCounts: [Int]
        let open: [PaymentOrder]
        let cancellations: [Cancellations.Cancellation?]
        let cancellationCounts: [Int]
        let takings: Won
    }

    var concerts: [ConcertDump] = []
    let counters: [UInt64]
    let underWay: [TransferID: Transfer]
    let balances: [Balance]
    let histories: [[HistoryEntry]]
    let transfers: [TransferLedger.Entry?]
    let marks: [TransferLedger.Marks]
    let totals: [Won]

    /// `payments` and `cancellations` are all that ever were, on any shard.
    init(_ shard: borrowing Shard, users: [UserID], payments: [PaymentID], cancellations: [CancellationID]) {
        self.counters = shard.counters
        self.underWay = shard.transfers.underWay
        let points = shard.points
        self.balances = users.map { points.balance(of: $0) }
        self.histories = users.map { points.history(of: $0, HistoryQuery(size: 100)) }
        self.transfers =
            payments.map { points.transfers[TransferID($0)] } + cancellations.map { points.transfers[TransferID($0)] }
        self.marks = points.transfers.marks.map(\.marks)
        self.totals = [points.charged, points.used, points.balances, points.debited, points.credited]
        for state in shard.concertsInOrder {
            self.concerts.append(ConcertDump(state, users: users, payments: payments, cancellations: cancellations))
        }
    }
}

extension ShardDump.ConcertDump {
    init(_ state: ConcertState, users: [UserID], payments: [PaymentID], cancellations: [CancellationID]) {
        self.id = state.concert.id
        self.totals = state.line.totals
        self.nextPlace = state.line.nextPlace
        self.admissionDue = state.line.admissionDue
        self.remaining = state.seats.remaining
        self.statuses = state.concert.schedules.map { state.seats.statuses(of: $0.id) }
        self.heldCount = state.seats.heldCount
        self.soldCount = state.seats.soldCount
        self.reservations = users.map { state.seats.reservations(of: $0) }
        self.payments = payments.map { state.payments[$0] }
        self.paymentCounts = [state.payments.openCount, state.payments.doneCount, state.payments.refusedCount]
        self.open = state.payments.open
        self.cancellations = cancellations.map { state.cancellations[$0] }
        self.cancellationCounts = [state.cancellations.openCount, state.cancellations.doneCount]
        self.takings = state.seats.takings
        var people: [Line.Entry] = []
        state.line.forEachPresent { people.append($0) }
        self.people = people
        self.orders = people.map { state.line.order(of: $0.place) }
    }
}
