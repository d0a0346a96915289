import HeapModule

/// All seats of one concert and every reservation ever made of them. Takes in facts; the shard decides.
public struct Seats {
    private let schedules: [Schedule]
    private let positions: [ScheduleID: Int]
    /// A schedule's board is made when its first seat is held: most of 240 schedules may never be touched.
    private var boards: [SeatBoard?]
    private var reservations = SteadyTable<ReservationID, Row>()
    /// The grades of all reservations, each once; rows have their indices.
    private var grades: [String] = []
    private var gradeIndices: [String: UInt32] = [:]
    private var users = SteadyTable<UserID, UserSeats>()
    /// Derived from the holds: may name some that are over by now, which are skipped when they come up.
    private var deadlines = Heap<Deadline>()
    /// That of the first of them; `distantFuture` when there is none. Every request asks.
    private var firstDeadline = Timestamp.distantFuture
    /// Pinned holds whose deadline has come up: they go back into `deadlines` if their payment is refused.
    private var overdue: Set<ReservationID> = []

    /// Over all schedules.
    public private(set) var heldCount = 0
    public private(set) var soldCount = 0
    /// What the seats cost that are sold.
    public private(set) var takings = Won.zero
    public let seatCount: Int

    public init(_ schedules: [Schedule]) {
        self.schedules = schedules
        self.positions = Dictionary(uniqueKeysWithValues: schedules.enumerated().map { ($1.id, $0) })
        self.boards = Array(repeating: nil, count: schedules.count)
        self.seatCount = schedules.reduce(0) { $0 + $1.hall.seatCount }
    }

    // MARK: Questions

    public func schedule(_ id: ScheduleID) -> Schedule? { self.positions[id].map { self.schedules[$0] } }

    /// Free seats of each schedule, in the catalogue's order.
    public var remaining: [UInt32] {
        self.schedules.indices.map { self.boards[$0]?.freeCount ?? UInt32(self.schedules[$0].hall.seatCount) }
    }

    /// Nil for a schedule of another concert. O(seats of the hall).
    public func statuses(of schedule: ScheduleID) -> [SeatStatus]? {
        guard let position = self.positions[schedule] else { return nil }
        return self.boards[position]?.statuses
            ?? Array(repeating: .available, count: self.schedules[position].hall.seatCount)
    }

    /// `seat` is in the schedule's hall.
    public func isFree(_ seat: SeatID, on schedule: ScheduleID) -> Bool {
        guard let position = self.positions[schedule] else { return false }
        return self.boards[position]?.isFree(seat) ?? true
    }

    public subscript(reservation: ReservationID) -> Reservation? {
        self.reservations[reservation].map { self.reservation(reservation, $0) }
    }

    /// Oldest first.
    public func reservations(of user: UserID) -> [Reservation] {
        self.users[user, default: UserSeats()].reservations.map { self[$0]! }
    }

    /// How many seats a user holds, pinned ones too. O(1).
    public func heldCount(of user: UserID) -> Int { Int(self.users[user]?.heldCount ?? 0) }
    /// How many seats a user has, held and paid together. O(1).
    public func standingCount(of user: UserID) -> Int {
        self.users[user].map { Int($0.heldCount) + Int($0.paidCount) } ?? 0
    }

    /// A hold whose deadline has passed and which no payment pins; nil when there is none. O(log holds).
    public mutating func popLapsed(at now: Timestamp) -> ReservationID? {
        while self.firstDeadline <= now, let first = self.deadlines.popMin() {
            self.firstDeadline = self.deadlines.min?.until ?? .distantFuture
            guard let hold = self.reservations[first.reservation], hold.status == .held else { continue }
            guard hold.isPinned else { return first.reservation }
            self.overdue.insert(first.reservation)
        }
        return nil
    }

    // MARK: Facts

    public mutating func takeHeld(_ hold: Reservation) {
        let position = self.position(of: hold.schedule)
        precondition(hold.status == .held && hold.payment == nil, "reservation \(hold.id) begins as something else")
        precondition(
            self.schedules[position].hall.section(of: hold.seat) != nil,
            "seat \(hold.seat) has a reservation, but is not in the hall: put it back"
        )
        self.withBoard(of: hold.schedule) { $0.hold(hold.seat, for: hold.id) }
        precondition(
            self.reservations.updateValue(self.row(hold, position), forKey: hold.id) == nil,
            "reservation \(hold.id) was given twice"
        )
        self.users[hold.user, default: UserSeats()].reservations.append(hold.id)
        self.users[hold.user, default: UserSeats()].heldCount += 1
        self.insertDeadline(of: hold.id, hold.until)
        self.heldCount += 1
    }

    public mutating func takeReleased(_ id: ReservationID) {
        let hold = self.change(id, paidBy: nil) {
            $0.status = .cancelled
        }
        self.boards[Int(hold.position)]!.free(hold.seat, of: id)
        self.heldCount -= 1
        self.users[hold.user, default: UserSeats()].heldCount -= 1
    }

    /// A payment has begun: the hold stays until it is decided.
    public mutating func takePinned(_ id: ReservationID, by payment: PaymentID) {
        self.change(id, paidBy: nil) { $0.payment = payment }
    }

    /// The payment was refused: the hold runs on to its old deadline.
    public mutating func takeUnpinned(_ id: ReservationID, by payment: PaymentID) {
        let hold = self.change(id, paidBy: payment) { $0.payment = nil }
        guard self.overdue.remove(id) != nil else { return }
        self.insertDeadline(of: id, hold.until)
    }

    public mutating func takeSold(_ id: ReservationID, by payment: PaymentID) {
        let hold = self.change(id, paidBy: payment) { $0.status = .paid }
        self.boards[Int(hold.position)]!.sell(hold.seat, to: id)
        self.overdue.remove(id)
        self.heldCount -= 1
        self.soldCount += 1
        self.users[hold.user, default: UserSeats()].pay()
        self.takings += hold.price
    }

    /// What was paid is cancelled, and the points are back: the seat is free again.
    public mutating func takeCancelled(_ id: ReservationID) {
        guard var reservation = self.reservations[id], reservation.status == .paid else {
            preconditionFailure("there is no paid reservation \(id)")
        }
        reservation.status = .cancelled
        self.reservations.updateValue(reservation, forKey: id)
        self.boards[Int(reservation.position)]!.takeBack(reservation.seat, of: id)
        self.soldCount -= 1
        self.users[reservation.user, default: UserSeats()].paidCount -= 1
        self.takings -= reservation.price
    }

    // MARK: Snapshots

    /// Oldest first. O(n log n).
    func forEachReservation(_ body: (Reservation) -> Void) {
        for id in self.reservations.keys.sorted() { body(self[id]!) }
    }

    /// Takes back a reservation as it was; oldest first.
    mutating func restore(_ reservation: Reservation) {
        let row = self.row(reservation, self.position(of: reservation.schedule))
        precondition(
            self.reservations.updateValue(row, forKey: reservation.id) == nil,
            "reservation \(reservation.id) was given twice"
        )
        self.users[reservation.user, default: UserSeats()].reservations.append(reservation.id)
        guard reservation.status != .cancelled else { return }
        self.users[reservation.user, default: UserSeats()].heldCount += 1
        self.withBoard(of: reservation.schedule) { $0.hold(reservation.seat, for: reservation.id) }
        self.heldCount += 1
        guard reservation.status == .paid else {
            return self.insertDeadline(of: reservation.id, reservation.until)
        }
        self.withBoard(of: reservation.schedule) { $0.sell(reservation.seat, to: reservation.id) }
        self.heldCount -= 1
        self.soldCount += 1
        self.users[reservation.user, default: UserSeats()].pay()
        self.takings += reservation.price
    }

    // MARK: Helpers

    /// A schedule's board is made when its first seat is taken.
    private mutating func withBoard(of schedule: ScheduleID, _ change: (inout SeatBoard) -> Void) {
        let position = self.position(of: schedule)
        if self.boards[position] == nil {
            self.boards[position] = SeatBoard(seatCount: self.schedules[position].hall.seatCount)
        }
        change(&self.boards[position]!)
    }

    private mutating func insertDeadline(of hold: ReservationID, _ until: Timestamp) {
        self.deadlines.insert(Deadline(until: until, reservation: hold))
        self.firstDeadline = min(self.firstDeadline, until)
    }

    /// Changes a hold that `payment` pins, or that none does.
    @discardableResult
    private mutating func change(
        _ id: ReservationID,
        paidBy payment: PaymentID?,
        _ change: (inout Row) -> Void
    ) -> Row {
        let before = self.reservations.change(id) { reservation in
            let before = reservation
            precondition(before.status == .held, "reservation \(id) is \(before.status), not held")
            precondition(before.payment == payment, "reservation \(id) is not pinned by that payment, or by another")
            change(&reservation)
            return before
        }
        guard let before else { preconditionFailure("there is no reservation \(id)") }
        return before
    }

    private func position(of schedule: ScheduleID) -> Int {
        guard let position = self.positions[schedule] else {
            preconditionFailure("schedule \(schedule) has reservations, but is not in the catalogue: put it back")
        }
        return position
    }

    private mutating func row(_ reservation: Reservation, _ position: Int) -> Row {
        // A hold of an earlier version has the grade that the catalogue says now, as it always had.
        let grade = reservation.grade ?? self.schedules[position].hall.section(of: reservation.seat)?.grade ?? ""
        return Row(reservation, position: UInt32(position), grade: self.index(of: grade))
    }

    private mutating func index(of grade: String) -> UInt32 {
        if let index = self.gradeIndices[grade] { return index }
        let index = UInt32(self.grades.count)
        self.grades.append(grade)
        self.gradeIndices[grade] = index
        return index
    }

    private func reservation(_ id: ReservationID, _ row: Row) -> Reservation {
        Reservation(
            id: id,
            user: row.user,
            schedule: self.schedules[Int(row.position)].id,
            seat: row.seat,
            price: row.price,
            grade: self.grades[Int(row.grade)],
            heldAt: row.heldAt,
            until: row.until,
            status: row.status,
            payment: row.payment
        )
    }

    /// A reservation in 56 bytes, where it would take 96 with its number and the text of its grade.
    private struct Row {
        let user: UserID
        let price: Won
        let heldAt: Timestamp
        let until: Timestamp
        /// 0 for none.
        private var paymentNumber: UInt64
        /// Of its schedule.
        let position: UInt32
        private let seatNumber: UInt32
        let grade: UInt32
        var status: Reservation.Status

        init(_ reservation: Reservation, position: UInt32, grade: UInt32) {
            self.user = reservation.user
            self.price = reservation.price
            self.heldAt = reservation.heldAt
            self.until = reservation.until
            self.paymentNumber = reservation.payment?.rawValue ?? 0
            self.position = position
            self.seatNumber = UInt32(reservation.seat.rawValue)
            self.grade = grade
            self.status = reservation.status
        }

        var seat: SeatID { SeatID(UInt64(self.seatNumber)) }

        var payment: PaymentID? {
            get { self.paymentNumber == 0 ? nil : PaymentID(self.paymentNumber) }
            set { self.paymentNumber = newValue?.rawValue ?? 0 }
        }

        var isPinned: Bool { self.status == .held && self.paymentNumber != 0 }
    }

    /// What one user has and had.
    private struct UserSeats {
        /// In the order in which they were made.
        var reservations: [ReservationID] = []
        /// Of them; pinned ones too.
        var heldCount: UInt32 = 0
        var paidCount: UInt32 = 0

        mutating func pay() {
            self.heldCount -= 1
            self.paidCount += 1
        }
    }

    private struct Deadline: Comparable {
        let until: Timestamp
        let reservation: ReservationID
        static func < (left: Deadline, right: Deadline) -> Bool {
            (left.until, left.reservation) < (right.until, right.reservation)
        }
    }

    /// Every seat and every reservation agree, checked from both sides. O(seats + reservations).
    public func checkInvariants() {
        var held = 0
        var sold = 0
        for (position, board) in self.boards.enumerated() {
            guard let board else { continue }
            board.checkInvariants()
            held += Int(board.heldCount)
            sold += Int(board.soldCount)
            for number in 1...UInt64(self.schedules[position].hall.seatCount) {
                guard let occupant = board.occupant(of: SeatID(number)) else { continue }
                let reservation = self[occupant.reservation]
                precondition(reservation?.seat == SeatID(number), "seat \(number) and its reservation disagree")
                precondition(
                    reservation?.schedule == self.schedules[position].id,
                    "a seat is taken on another schedule"
                )
                precondition(
                    reservation?.status == (occupant.isSold ? .paid : .held),
                    "a seat's status is not its reservation's"
                )
            }
        }
        precondition(
            held == self.heldCount && sold == self.soldCount,
            "the seats' totals are not the sum of the boards"
        )
        let standing = self.reservations.values.count { $0.status != .cancelled }
        precondition(standing == held + sold, "\(standing) reservations stand, but \(held + sold) seats are taken")
        let takings = self.reservations.values.filter { $0.status == .paid }.reduce(Won.zero) { $0 + $1.price }
        precondition(takings == self.takings, "the seats sold cost \(takings), counted are \(self.takings)")
        let waiting = Set(self.deadlines.unordered.map(\.reservation))
        for (id, reservation) in self.reservations {
            switch reservation.status {
            case .held:
                precondition(
                    waiting.contains(id) != self.overdue.contains(id),
                    "a hold would never lapse, or twice"
                )
                precondition(
                    reservation.isPinned || !self.overdue.contains(id),
                    "a hold that nothing pins is over its deadline for good"
                )
            case .paid: precondition(reservation.payment != nil, "a sold seat has no payment")
            case .cancelled: break
            }
        }
        precondition(
            self.overdue.allSatisfy { self.reservations[$0]?.isPinned == true },
            "a hold that is over already is still watched"
        )
        precondition(
            self.users.values.reduce(0) { $0 + $1.reservations.count } == self.reservations.count,
            "the users' lists do not hold every reservation once"
        )
        for (user, own) in self.users {
            let all = own.reservations.map { self[$0]! }
            precondition(all.allSatisfy { $0.user == user }, "a user's list has somebody else's reservation")
            precondition(
                all.count { $0.status == .held } == own.heldCount && all.count { $0.status == .paid } == own.paidCount,
                "the seats of user \(user) are miscounted"
            )
        }
    }

    /// A cancelled reservation has a payment just when it was paid, and cancelled after that. O(reservations).
    func checkCancelled(_ isCancelledAfterPayment: (ReservationID) -> Bool) {
        for (id, reservation) in self.reservations where reservation.status == .cancelled {
            precondition(
                (reservation.payment != nil) == isCancelledAfterPayment(id),
                "reservation \(id) was cancelled while it was being paid, or its cancellation is not known"
            )
        }
    }
}
