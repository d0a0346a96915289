/// All seats of one concert, its current reservations, and the recent ones that are over. Applies facts; the shard
/// decides.
///
///     held, paid: as many as there are seats        over: bounded by age, by user and by concert (`RecordLimits`)
public struct Seats: ~Copyable {
    let limits: RecordLimits
    private let schedules: [Schedule]
    private let positions: [ScheduleID: Int]
    /// A schedule's board is made when its first seat is held: most of 240 schedules may never be touched.
    private var boards: [SeatBoard?]
    private var reservations = SteadyTable<ReservationID, Row>()
    /// The grades of all reservations, without duplicates; rows refer to them by index.
    private var grades: [String] = []
    private var gradeIndices: [String: UInt32] = [:]
    private var users = SteadyTable<UserID, UserSeats>()
    /// The deadlines of holds, but for those in `overdue`.
    private var deadlines = DueQueue<ReservationID>()
    /// Until when ended reservations are remembered.
    private var over = DueQueue<ReservationID>()
    /// Ended reservations beyond a user's limit: to be forgotten with the next fact.
    private var surplus: [ReservationID] = []
    private var freed = FreedSeats()
    /// Pinned holds past their deadline: they go back into `deadlines` if their payment is refused.
    private var overdue: Set<ReservationID> = []

    /// Over all schedules.
    public private(set) var heldCount = 0
    public private(set) var soldCount = 0
    /// The price of all sold seats.
    public private(set) var takings = Won.zero
    public let seatCount: Int

    public init(_ schedules: [Schedule], limits: RecordLimits = RecordLimits()) {
        self.limits = limits
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

    /// The newest `max`, oldest first. O(reservations returned), whatever came before.
    public func reservations(of user: UserID, max: Int = .max) -> [Reservation] {
        guard let own = self.users[user] else { return [] }
        let newest = own.held.suffix(max) + own.bought.suffix(max) + own.over.suffix(max)
        return newest.sorted().suffix(max).map { self[$0]! }
    }

    /// The seats that a user holds, pinned ones too. O(1).
    public func heldCount(of user: UserID) -> Int { self.users[user]?.held.count ?? 0 }
    /// The seats that a user has, held and paid together. O(1).
    public func standingCount(of user: UserID) -> Int {
        self.users[user].map { $0.held.count + Int($0.paidCount) } ?? 0
    }

    /// The latest deadline of a user's holds, pinned ones too; nil without holds. O(holds of the user).
    func lastDeadline(of user: UserID) -> Timestamp? {
        self.users[user]?.held.map { self.reservations[$0]!.until }.max()
    }

    /// A user's holds that no payment pins, oldest first.
    func unpinnedHolds(of user: UserID) -> [ReservationID] {
        self.users[user]?.held.filter { self.reservations[$0]?.isPinned == false } ?? []
    }

    /// The deadline that a new hold of a free seat keeps because the same user had it a moment ago; once that has
    /// passed, only others may hold the seat for a while. Nil for a hold with a new deadline. O(1).
    func deadlineKept(_ seat: SeatID, on schedule: ScheduleID, by user: UserID, at now: Timestamp) -> Timestamp? {
        guard let freed = self.freed[self.freedSeat(seat, schedule)], freed.user == user else { return nil }
        return freed.at + FreedSeats.pause > now ? freed.until : nil
    }

    /// A hold whose deadline has passed and that no payment pins; nil when there is none. The same one until it is
    /// released. O(log holds).
    public mutating func firstLapsed(at now: Timestamp) -> ReservationID? {
        while self.deadlines.firstAt <= now, let first = self.deadlines.first {
            guard let hold = self.reservations[first], hold.status == .held else {
                self.deadlines.removeFirst(isStale: true)
                continue
            }
            guard hold.isPinned else { return first }
            self.deadlines.removeFirst(isStale: false)
            self.overdue.insert(first)
        }
        return nil
    }

    // MARK: Facts

    public mutating func applyHeld(_ hold: Reservation) {
        let position = self.position(of: hold.schedule)
        precondition(hold.status == .held && hold.payment == nil, "reservation \(hold.id) does not begin as a hold")
        precondition(
            self.schedules[position].hall.section(of: hold.seat) != nil,
            "seat \(hold.seat) has a reservation, but is not in the hall: put it back"
        )
        self.withBoard(of: hold.schedule) { $0.hold(hold.seat, for: hold.id) }
        precondition(
            self.reservations.updateValue(self.row(hold, position), forKey: hold.id) == nil,
            "reservation \(hold.id) was given twice"
        )
        UserSeats.insert(hold.id, into: &self.users[hold.user, default: UserSeats()].held)
        self.freed.remove(self.freedSeat(hold.seat, hold.schedule))
        self.deadlines.insert(hold.id, at: hold.until)
        self.heldCount += 1
    }

    public mutating func applyReleased(_ id: ReservationID, at now: Timestamp) {
        let hold = self.change(id, paidBy: nil) {
            $0.status = .cancelled
        }
        self.boards[self.position(of: hold.schedule)]!.free(hold.seat, of: id)
        self.heldCount -= 1
        self.endHold(hold)
        self.retire(hold, until: hold.until + self.limits.unpaidLifetime)
        self.noteFreed(hold, at: now)
    }

    /// A payment has begun: the hold stays until the payment is decided.
    public mutating func applyPinned(_ id: ReservationID, by payment: PaymentID) {
        self.change(id, paidBy: nil) { $0.payment = payment }
    }

    /// The payment was refused: the hold continues to its old deadline.
    public mutating func applyUnpinned(_ id: ReservationID, by payment: PaymentID) {
        let hold = self.change(id, paidBy: payment) { $0.payment = nil }
        guard self.overdue.remove(id) != nil else { return }
        self.deadlines.insert(id, at: hold.until)
    }

    public mutating func applySold(_ id: ReservationID, by payment: PaymentID) {
        let hold = self.change(id, paidBy: payment) { $0.status = .paid }
        self.boards[self.position(of: hold.schedule)]!.sell(hold.seat, to: id)
        self.endHold(hold)
        self.heldCount -= 1
        self.soldCount += 1
        self.users[hold.user, default: UserSeats()].buy(id)
        self.takings += hold.price
    }

    /// A purchase is cancelled and the points are back: the seat is free again.
    public mutating func applyCancelled(_ id: ReservationID, at now: Timestamp) {
        guard var row = self.reservations[id], row.status == .paid else {
            preconditionFailure("there is no paid reservation \(id)")
        }
        row.status = .cancelled
        self.reservations.updateValue(row, forKey: id)
        let reservation = self.reservation(id, row)
        self.boards[self.position(of: reservation.schedule)]!.release(reservation.seat, of: id)
        self.soldCount -= 1
        self.users[reservation.user, default: UserSeats()].paidCount -= 1
        self.takings -= reservation.price
        self.noteFreed(reservation, at: now)
    }

    /// A purchase is over: all its seats are cancelled, this one at `cancelledAt`.
    mutating func applyRefunded(_ id: ReservationID, cancelledAt: Timestamp) {
        guard let reservation = self[id], reservation.status == .cancelled, reservation.payment != nil
        else {
            preconditionFailure("reservation \(id) was not bought and cancelled")
        }
        UserSeats.remove(id, from: &self.users[reservation.user, default: UserSeats()].bought)
        self.retire(reservation, until: cancelledAt + self.limits.refundedLifetime)
    }

    /// Forgets the next ended reservation that need not be remembered at `now`, the time of a fact; nil when there is
    /// none. Amortised O(log n).
    mutating func popForgotten(at now: Timestamp) -> Reservation? {
        if let id = self.surplus.popLast() {
            self.over.noteStale()
            return self.forget(id)
        }
        while self.over.firstAt <= now || self.over.count > self.limits.overPerConcertMax, let first = self.over.first {
            let isStale = self.reservations[first] == nil
            self.over.removeFirst(isStale: isStale)
            if !isStale { return self.forget(first) }
        }
        return nil
    }

    // MARK: Snapshots

    /// Oldest first. O(n log n).
    func forEachReservation(_ body: (Reservation) -> Void) {
        for id in self.reservations.keys.sorted() { body(self[id]!) }
    }

    /// Restores a reservation; oldest first.
    mutating func restore(_ reservation: Reservation) {
        let row = self.row(reservation, self.position(of: reservation.schedule))
        precondition(
            self.reservations.updateValue(row, forKey: reservation.id) == nil,
            "reservation \(reservation.id) was given twice"
        )
        guard reservation.status != .cancelled else {
            guard reservation.payment == nil else {
                return self.users[reservation.user, default: UserSeats()].bought.append(reservation.id)
            }
            return self.retire(reservation, until: reservation.until + self.limits.unpaidLifetime)
        }
        self.withBoard(of: reservation.schedule) { $0.hold(reservation.seat, for: reservation.id) }
        self.heldCount += 1
        guard reservation.status == .paid else {
            UserSeats.insert(reservation.id, into: &self.users[reservation.user, default: UserSeats()].held)
            return self.deadlines.insert(reservation.id, at: reservation.until)
        }
        self.withBoard(of: reservation.schedule) { $0.sell(reservation.seat, to: reservation.id) }
        self.heldCount -= 1
        self.soldCount += 1
        self.users[reservation.user, default: UserSeats()].buy(reservation.id)
        self.takings += reservation.price
    }

    /// Recently freed seats, oldest first.
    func forEachFreed(_ body: (ScheduleID, SeatID, UserID, _ until: Timestamp, _ at: Timestamp) -> Void) {
        self.freed.forEach { seat, freed in
            let schedule = self.schedules[Int(seat.position)].id
            body(schedule, SeatID(UInt64(seat.number)), freed.user, freed.until, freed.at)
        }
    }

    /// Restores a recently freed seat; oldest first.
    mutating func restoreFreed(_ schedule: ScheduleID, _ seat: SeatID, _ user: UserID, until: Timestamp, at: Timestamp)
    {
        self.freed.insert(self.freedSeat(seat, schedule), FreedSeats.Freed(user: user, until: until, at: at))
    }

    // MARK: Helpers

    private func freedSeat(_ seat: SeatID, _ schedule: ScheduleID) -> FreedSeats.Seat {
        FreedSeats.Seat(position: UInt32(self.position(of: schedule)), number: UInt32(seat.rawValue))
    }

    private mutating func noteFreed(_ reservation: Reservation, at now: Timestamp) {
        let freed = FreedSeats.Freed(user: reservation.user, until: reservation.until, at: now)
        self.freed.insert(self.freedSeat(reservation.seat, reservation.schedule), freed)
    }

    /// Makes the schedule's board at its first use.
    private mutating func withBoard(of schedule: ScheduleID, _ change: (inout SeatBoard) -> Void) {
        let position = self.position(of: schedule)
        if self.boards[position] == nil {
            self.boards[position] = SeatBoard(seatCount: self.schedules[position].hall.seatCount)
        }
        change(&self.boards[position]!)
    }

    /// Ends a hold that is released or paid.
    private mutating func endHold(_ hold: Reservation) {
        UserSeats.remove(hold.id, from: &self.users[hold.user, default: UserSeats()].held)
        guard self.overdue.remove(hold.id) == nil else { return }
        self.deadlines.noteStale()
        guard self.deadlines.needsSweep else { return }
        let reservations = self.reservations
        self.deadlines.sweep { reservations[$0]?.status == .held }
    }

    /// Keeps a reservation that is over for a while.
    private mutating func retire(_ reservation: Reservation, until: Timestamp) {
        self.over.insert(reservation.id, at: until)
        let max = self.limits.overPerUserMax
        if let oldest = self.users[reservation.user, default: UserSeats()].retire(reservation.id, countMax: max) {
            self.surplus.append(oldest)
        }
    }

    private mutating func forget(_ id: ReservationID) -> Reservation {
        guard let row = self.reservations.removeValue(forKey: id) else {
            preconditionFailure("reservation \(id) is forgotten twice")
        }
        let reservation = self.reservation(id, row)
        UserSeats.remove(id, from: &self.users[reservation.user, default: UserSeats()].over)
        if self.users[reservation.user]?.isEmpty == true { self.users.removeValue(forKey: reservation.user) }
        if self.over.needsSweep {
            let reservations = self.reservations
            self.over.sweep { reservations[$0] != nil }
        }
        return reservation
    }

    /// Changes a hold that is pinned by `payment`, or by none if nil.
    @discardableResult
    private mutating func change(
        _ id: ReservationID,
        paidBy payment: PaymentID?,
        _ change: (inout Row) -> Void
    ) -> Reservation {
        let before = self.reservations.change(id) { reservation in
            let before = reservation
            precondition(before.status == .held, "reservation \(id) is \(before.status), not held")
            precondition(before.payment == payment, "reservation \(id) is not pinned by that payment, or by another")
            change(&reservation)
            return before
        }
        guard let before else { preconditionFailure("there is no reservation \(id)") }
        return self.reservation(id, before)
    }

    private func position(of schedule: ScheduleID) -> Int {
        guard let position = self.positions[schedule] else {
            preconditionFailure("schedule \(schedule) has reservations, but is not in the catalogue: put it back")
        }
        return position
    }

    private mutating func row(_ reservation: Reservation, _ position: Int) -> Row {
        // A hold of an earlier version without a grade gets that of today's catalogue, as it always did.
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

    /// A reservation in 56 bytes; with its number and the text of its grade it would take 96.
    private struct Row {
        let user: UserID
        let price: Won
        let heldAt: Timestamp
        let until: Timestamp
        /// 0 for none.
        private var paymentNumber: UInt64
        /// Its position in the schedule.
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

    /// The seats of one user, now and earlier, each list in the order of reservation.
    private struct UserSeats {
        /// With pinned ones.
        var held: [ReservationID] = []
        /// Paid, or cancelled while other seats of the same payment are not.
        var bought: [ReservationID] = []
        /// Over, and not forgotten yet.
        var over: [ReservationID] = []
        /// Paid ones among `bought`.
        var paidCount: UInt32 = 0

        var isEmpty: Bool { self.held.isEmpty && self.bought.isEmpty && self.over.isEmpty }

        mutating func buy(_ id: ReservationID) {
            Self.insert(id, into: &self.bought)
            self.paidCount += 1
        }

        /// Adds one that is over; returns the oldest when there is one too many.
        mutating func retire(_ id: ReservationID, countMax: Int) -> ReservationID? {
            Self.insert(id, into: &self.over)
            return self.over.count > countMax ? self.over.removeFirst() : nil
        }

        static func insert(_ id: ReservationID, into list: inout [ReservationID]) {
            list.insert(id, at: Self.position(of: id, in: list))
        }

        static func remove(_ id: ReservationID, from list: inout [ReservationID]) {
            let position = Self.position(of: id, in: list)
            if position < list.count, list[position] == id { list.remove(at: position) }
        }

        /// Its index, or where it would be inserted. Most often the end.
        private static func position(of id: ReservationID, in list: [ReservationID]) -> Int {
            guard let last = list.last, id <= last else { return list.count }
            var low = 0
            var high = list.count - 1
            while low < high {
                let middle = (low + high) / 2
                if list[middle] < id { low = middle + 1 } else { high = middle }
            }
            return low
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
        let waiting = Set(self.deadlines.all)
        precondition(
            self.deadlines.count + self.overdue.count == held,
            "\(held) seats are held, \(self.deadlines.count) have a deadline and \(self.overdue.count) are past it"
        )
        for (id, reservation) in self.reservations {
            switch reservation.status {
            case .held:
                precondition(
                    waiting.contains(id) != self.overdue.contains(id),
                    "a hold would never lapse, or twice"
                )
                precondition(
                    reservation.isPinned || !self.overdue.contains(id),
                    "an unpinned hold is past its deadline and never lapses"
                )
            case .paid: precondition(reservation.payment != nil, "a sold seat has no payment")
            case .cancelled: break
            }
        }
        precondition(
            self.overdue.allSatisfy { self.reservations[$0]?.isPinned == true },
            "an ended hold still has a deadline"
        )
        precondition(
            self.users.values.reduce(self.surplus.count) { $0 + $1.held.count + $1.bought.count + $1.over.count }
                == self.reservations.count,
            "the users' lists do not hold every reservation once"
        )
        var over = 0
        for (user, own) in self.users {
            let all = self.reservations(of: user)
            over += own.over.count
            precondition(all.allSatisfy { $0.user == user }, "a user's list has somebody else's reservation")
            precondition(
                all.filter { $0.status == .held }.map(\.id) == own.held
                    && all.count { $0.status == .paid } == own.paidCount
                    && own.bought.allSatisfy { self.reservations[$0]?.payment != nil }
                    && own.over.allSatisfy { self.reservations[$0]?.status == .cancelled },
                "the seats of user \(user) are miscounted"
            )
            precondition(
                own.over.count <= self.limits.overPerUserMax,
                "user \(user) has \(own.over.count) seats that are over"
            )
        }
        precondition(
            self.over.count == over + self.surplus.count && over <= self.limits.overPerConcertMax,
            "\(over) reservations are over, \(self.over.count) are to be forgotten"
        )
    }

    /// A cancelled reservation has a payment if and only if it was cancelled after being paid. O(reservations).
    func checkCancelled(_ isCancelledAfterPayment: (ReservationID) -> Bool) {
        for (id, reservation) in self.reservations where reservation.status == .cancelled {
            precondition(
                (reservation.payment != nil) == isCancelledAfterPayment(id),
                "reservation \(id) was cancelled while it was being paid, or its cancellation is not known"
            )
        }
    }
}
