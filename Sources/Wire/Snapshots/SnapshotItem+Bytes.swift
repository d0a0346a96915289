import Booking

// The items of a snapshot: writing and reading. Reading checks every range, as for facts.

extension SnapshotItem {
    @inline(__always)
    func encode(into bytes: inout FrameBytes) {
        bytes.append(self.kind.rawValue)
        switch self {
        case .time(let time): bytes.append(time)
        case .counter(let slot, let counter):
            bytes.append(slot.rawValue)
            bytes.append(counter)
        case .concert(let id, let totals, let due, let refused):
            bytes.append(id)
            bytes.append(totals)
            bytes.append(due)
            bytes.append(refused)
        case .person(let entry): bytes.append(entry)
        case .reservation(let reservation):
            bytes.append(ungraded: reservation)
            if let grade = reservation.grade { bytes.append(grade: grade) }
        case .payment(let order, let balance):
            bytes.append(order)
            bytes.append(optional: balance)
        case .freedSeat(let schedule, let seat, let user, let until, let at):
            bytes.append(schedule)
            bytes.append(seat)
            bytes.append(user)
            bytes.append(until)
            bytes.append(at)
        case .forgotten(let payments, let cancellations):
            bytes.append(payments)
            bytes.append(cancellations)
        case .historyForgotten(let user, let charged, let used):
            bytes.append(user)
            bytes.append(charged)
            bytes.append(used)
        case .historyLine(let user, let entry):
            bytes.append(user)
            bytes.append(entry)
        case .debit(let payment, let debit):
            bytes.append(payment)
            switch debit {
            case .done(let balance): bytes.append(optional: balance)
            case .refused: bytes.append(optional: nil as Won?)
            }
        case .cancellation(let order, let balance):
            bytes.append(order)
            bytes.append(optional: balance)
        case .pointTotals(let debited, let credited):
            bytes.append(debited)
            bytes.append(credited)
        case .credit(let cancellation, let balance):
            bytes.append(cancellation)
            bytes.append(balance)
        case .transferMarks(let slot, let marks):
            bytes.append(slot.rawValue)
            bytes.append(marks.seen)
            bytes.append(marks.settled)
            bytes.append(marks.forgotten)
        case .transfer(let id, let entry):
            bytes.append(id)
            bytes.append(entry)
        case .transfersDecided(let slot, let shard, let counter):
            bytes.append(slot.rawValue)
            bytes.append(shard)
            bytes.append(counter)
        case .answer(let answer):
            if let address = answer.operation.address { bytes.append(address.rawValue) }
            bytes.append(answer)
        }
    }

    /// The item whose kind has been read.
    @inline(__always)
    init(kind number: UInt8, from reader: inout FrameReader) throws(WireError) {
        guard let kind = Kind(rawValue: number) else {
            throw WireError("items of kind \(number) are not known to this version: a newer one wrote them")
        }
        switch kind {
        case .time: self = .time(try reader.readTimestamp())
        case .counter:
            let slot = try reader.readSlot()
            self = .counter(slot, try reader.readCounter())
        case .concert:
            let id: ConcertID = try reader.readID()
            let totals = try reader.readTotals()
            let due = try reader.readTimestamp()
            self = .concert(id, totals, admissionDue: due, paymentsRefused: try reader.readAmount())
        case .person: self = .person(try reader.readEntry())
        case .ungradedReservation: self = .reservation(try reader.readUngradedReservation())
        case .reservation: self = .reservation(try reader.readReservation())
        case .payment: self = .payment(try reader.readPaymentOrder(), balance: try reader.readOptionalWon())
        case .freedSeat:
            let schedule: ScheduleID = try reader.readID()
            let seat: SeatID = try reader.readID()
            let user: UserID = try reader.readID()
            let until = try reader.readTimestamp()
            self = .freedSeat(schedule, seat, user, until: until, at: try reader.readTimestamp())
        case .forgotten:
            self = .forgotten(payments: try reader.readAmount(), cancellations: try reader.readAmount())
        case .historyForgotten:
            self = .historyForgotten(try reader.readID(), charged: try reader.readWon(), used: try reader.readWon())
        case .historyLine: self = .historyLine(try reader.readID(), try reader.readHistoryEntry())
        case .debit:
            let payment: PaymentID = try reader.readID()
            self = .debit(payment, try reader.readOptionalWon().map { .done(balance: $0) } ?? .refused)
        case .cancellation:
            self = .cancellation(try reader.readCancellationOrder(), balance: try reader.readOptionalWon())
        case .pointTotals: self = .pointTotals(debited: try reader.readWon(), credited: try reader.readWon())
        case .credit: self = .credit(try reader.readID(), balance: try reader.readWon())
        case .transferMarks:
            let slot = try reader.readSlot()
            let seen = try reader.readCounter()
            let settled = try reader.readCounter()
            let forgotten = try reader.readCounter()
            guard settled <= seen, forgotten <= settled else {
                throw WireError("the marks of transfers are out of order")
            }
            self = .transferMarks(slot, TransferLedger.Marks(seen: seen, settled: settled, forgotten: forgotten))
        case .transfer: self = .transfer(try reader.readID(), try reader.readTransferEntry())
        case .transfersDecided:
            let slot = try reader.readSlot()
            self = .transfersDecided(slot, shard: try reader.readUInt16(), counter: try reader.readCounter())
        case .answer: self = .answer(try reader.readKeptAnswer())
        case .answerFromAddress: self = .answer(try reader.readKeptAnswer(from: try reader.readAddressTag()))
        }
    }

    private var kind: Kind {
        switch self {
        case .time: .time
        case .counter: .counter
        case .concert: .concert
        case .person: .person
        case .reservation(let reservation): reservation.grade == nil ? .ungradedReservation : .reservation
        case .payment: .payment
        case .freedSeat: .freedSeat
        case .forgotten: .forgotten
        case .historyForgotten: .historyForgotten
        case .historyLine: .historyLine
        case .debit: .debit
        case .cancellation: .cancellation
        case .pointTotals: .pointTotals
        case .credit: .credit
        case .transferMarks: .transferMarks
        case .transfer: .transfer
        case .transfersDecided: .transfersDecided
        case .answer(let answer): answer.operation.address == nil ? .answer : .answerFromAddress
        }
    }
}

extension FrameBytes {
    fileprivate mutating func append(_ totals: Line.Totals) {
        self.append(totals.waiting)
        self.append(totals.admitted)
        self.append(totals.left)
        self.append(totals.expired)
        self.append(totals.usedUp)
    }

    @inline(__always)
    fileprivate mutating func append(_ entry: Line.Entry) {
        self.append(entry.place)
        self.append(entry.user)
        self.append(entry.joinedAt)
        switch entry.state {
        case .waiting: self.append(UInt8(0))
        case .admitted(let at):
            self.append(UInt8(1))
            self.append(at)
        }
    }

    /// An id of 0 and an amount of -1 stand for unknown.
    fileprivate mutating func append(_ entry: TransferLedger.Entry) {
        self.append(entry.direction.rawValue)
        self.append(entry.concert?.rawValue ?? 0)
        self.append(entry.user?.rawValue ?? 0)
        self.append(entry.amount ?? Won(-1))
        switch entry.outcome {
        case .moved(let balance): self.append(optional: balance)
        case .refused: self.append(optional: nil)
        }
    }

    fileprivate mutating func append(optional won: Won?) {
        self.append(UInt8(won == nil ? 0 : 1))
        if let won { self.append(won) }
    }
}

extension FrameReader {
    /// A number of people or things; small enough for sums.
    fileprivate mutating func readAmount() throws(WireError) -> UInt64 {
        let number = try self.readUInt64()
        guard number <= IdentifierLimits.max else { throw WireError("a count is out of range") }
        return number
    }

    fileprivate mutating func readTotals() throws(WireError) -> Line.Totals {
        Line.Totals(
            waiting: try self.readAmount(),
            admitted: try self.readAmount(),
            left: try self.readAmount(),
            expired: try self.readAmount(),
            usedUp: try self.readAmount()
        )
    }

    @inline(__always)
    fileprivate mutating func readEntry() throws(WireError) -> Line.Entry {
        let place = try self.readPlace()
        let user: UserID = try self.readID()
        let joinedAt = try self.readTimestamp()
        let state: Line.State
        switch try self.readUInt8() {
        case 0: state = .waiting
        case 1: state = .admitted(at: try self.readTimestamp())
        default: throw WireError("the flag of a person's admission is neither 0 nor 1")
        }
        return Line.Entry(place: place, user: user, joinedAt: joinedAt, state: state)
    }

    fileprivate mutating func readTransferEntry() throws(WireError) -> TransferLedger.Entry {
        let direction: Transfer.Direction = try self.readCase("direction of a transfer")
        let concert = try self.readUInt64()
        let user = try self.readUInt64()
        let amount = try self.readInt64()
        guard concert <= IdentifierLimits.max, user <= IdentifierLimits.max else {
            throw WireError("an identifier is out of range")
        }
        guard amount >= -1, amount <= Int64(IdentifierLimits.max) else { throw WireError("an amount is out of range") }
        return TransferLedger.Entry(
            direction: direction,
            concert: concert == 0 ? nil : ConcertID(concert),
            user: user == 0 ? nil : UserID(user),
            amount: amount < 0 ? nil : Won(amount),
            outcome: try self.readOptionalWon().map { .moved(balance: $0) } ?? .refused
        )
    }

    fileprivate mutating func readOptionalWon() throws(WireError) -> Won? {
        switch try self.readUInt8() {
        case 0: nil
        case 1: try self.readWon()
        default: throw WireError("the flag of an amount is neither 0 nor 1")
        }
    }
}
