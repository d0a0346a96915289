import Booking
import Seeded
import Wire

/// Random values of every kind, over their whole ranges, often at the ends.
extension SeededRandom {
    mutating func number() -> UInt64 {
        switch self.next() % 4 {
        case 0: 1
        case 1: IdentifierLimits.max
        case 2: UInt64.random(in: 1...100, using: &self)
        default: UInt64.random(in: 1...IdentifierLimits.max, using: &self)
        }
    }
    mutating func id<ID: Identifier>() -> ID { ID(self.number()) }
    mutating func ids<ID: Identifier>() -> [ID] { self.list { $0.id() } }
    mutating func place() -> Place { Place(self.number()) }
    mutating func won() -> Won { Won(Int64(self.number() - 1)) }
    mutating func askedWon() -> Won { Won(Bool.random(using: &self) ? Int64(self.number()) : -Int64(self.number())) }
    mutating func moment() -> Timestamp {
        Timestamp(nanoseconds: [.min, .max, 0, Int64(bitPattern: self.next())].randomElement(using: &self)!)
    }
    mutating func one<Case: CaseIterable>() -> Case { Case.allCases.randomElement(using: &self)! }
    mutating func slot() -> Slot { Slot(checking: UInt16.random(in: 0..<UInt16(Slot.count), using: &self))! }

    mutating func list<Element>(_ make: (inout SeededRandom) -> Element) -> [Element] {
        let count = Int.random(in: 0...8, using: &self)
        return (0..<count).map { _ in make(&self) }
    }

    mutating func pass() -> Pass {
        Pass(concert: self.id(), user: self.id(), place: self.place(), issuedAt: self.moment())
    }

    mutating func standing() -> Standing { Standing(order: self.number() - 1, seconds: self.number() - 1) }

    mutating func hold() -> Reservation {
        Reservation(
            id: self.id(),
            user: self.id(),
            schedule: self.id(),
            seat: self.id(),
            price: self.won(),
            grade: self.grade(),
            heldAt: self.moment(),
            until: self.moment()
        )
    }

    /// The last one has the maximum length.
    mutating func grade() -> String {
        ["", "VIP", "R석", String(repeating: "석", count: 66) + "ab"].randomElement(using: &self)!
    }

    /// As earlier versions recorded it.
    mutating func ungradedHold() -> Reservation {
        var hold = self.hold()
        hold.grade = nil
        return hold
    }

    mutating func reservation() -> Reservation {
        var reservation = self.hold()
        reservation.status = self.one()
        reservation.payment = Bool.random(using: &self) ? self.id() : nil
        return reservation
    }

    mutating func historyQuery() -> HistoryQuery {
        HistoryQuery(
            only: Bool.random(using: &self) ? self.one() : nil,
            page: UInt32.random(in: 0...HistoryQuery.pageMax, using: &self),
            size: UInt32.random(in: 1...HistoryQuery.sizeMax, using: &self)
        )
    }

    mutating func request() -> Request {
        let kind: Request.Kind = self.one()
        return switch kind {
        case .join: .join(self.id(), self.id())
        case .poll: .poll(self.pass())
        case .leave: .leave(self.pass())
        case .schedules: .schedules(self.id())
        case .seats: .seats(self.id(), self.id())
        case .reserve: .reserve(self.pass(), self.id(), self.ids())
        case .release: .release(self.pass(), self.ids())
        case .reservations: .reservations(self.id(), self.id())
        case .pay: .pay(self.pass(), self.ids())
        case .charge: .charge(self.id(), self.askedWon(), self.one())
        case .use: .use(self.id(), self.askedWon())
        case .balance: .balance(self.id())
        case .history: .history(self.id(), self.historyQuery())
        case .debit: .transfer(self.transferOrder(.debit))
        case .credit: .transfer(self.transferOrder(.credit))
        case .transfersSeen: .transfersSeen(shard: UInt16.random(in: 0...255, using: &self))
        case .cancel: .cancel(self.id(), self.id(), self.ids())
        case .claim: .claim(self.id(), fingerprint: self.next())
        }
    }

    mutating func reply() -> Reply {
        let kind: Reply.Kind = self.one()
        switch kind {
        case .joined:
            return .joined(Joined(place: self.place(), issuedAt: self.moment(), standing: self.standing()))
        case .standing: return .standing(self.standing())
        case .left: return .left
        case .schedules: return .schedules(self.list { UInt32.random(in: 0...UInt32(Hall.seatCountMax), using: &$0) })
        case .seats: return .seats(self.list { $0.one() })
        case .reservations: return .reservations(self.list { $0.reservation() })
        case .paid: return .paid(self.receipt())
        case .cancelled: return .cancelled(self.receipt())
        case .credited: return .credited(self.won())
        case .points:
            let change = PointsChange(
                amount: self.won(),
                balance: self.won(),
                type: self.one(),
                paymentType: self.one(),
                at: self.moment()
            )
            return .points(change)
        case .balance:
            return .balance(
                Balance(balance: self.won(), updatedAt: Bool.random(using: &self) ? self.moment() : nil)
            )
        case .history:
            return .history(
                self.list {
                    HistoryEntry(id: $0.id(), amount: $0.won(), type: $0.one(), paymentType: $0.one(), at: $0.moment())
                }
            )
        case .debited: return .debited(self.won())
        case .claimed: return .claimed
        case .transfersSeen:
            return .transfersSeen(
                self.list {
                    TransferMark(
                        slot: Slot(checking: UInt16.random(in: 0..<UInt16(Slot.count), using: &$0))!,
                        counter: UInt64.random(in: 0...SlotIDs.counterMax, using: &$0)
                    )
                }
            )
        case .refused: return .refused(self.one())
        case .refusedFor: return .refusedFor(self.one(), seconds: UInt32(truncatingIfNeeded: self.next()))
        }
    }

    private mutating func receipt() -> Receipt {
        let reservations = self.list { $0.reservation() }
        return Receipt(user: self.id(), amount: self.won(), balance: self.won(), reservations: reservations)
    }

    mutating func fact() -> Fact {
        let kind: Fact.Kind = self.one()
        return switch kind {
        case .joined: .joined(self.id(), self.id(), self.place(), at: self.moment())
        case .admitted: .admitted(self.id(), self.place(), at: self.moment())
        case .left: .left(self.id(), self.place(), at: self.moment())
        case .lapsed: .lapsed(self.id(), self.place(), at: self.moment())
        case .held:
            .held(self.id(), Bool.random(using: &self) ? self.hold() : self.ungradedHold())
        case .released: .released(self.id(), self.id(), self.one(), at: self.moment())
        case .paymentStarted: .paymentStarted(self.order())
        case .paymentDone: .paymentDone(self.id(), self.id(), balance: self.won(), at: self.moment())
        case .paymentRefused: .paymentRefused(self.id(), self.id(), at: self.moment())
        case .charged: .charged(self.id(), self.id(), self.won(), self.one(), at: self.moment())
        case .used: .used(self.id(), self.id(), self.won(), at: self.moment())
        case .debited: .debited(self.id(), self.id(), self.id(), self.won(), at: self.moment())
        case .debitRefused: .debitRefused(self.id(), self.id(), at: self.moment())
        case .cancelStarted: .cancelStarted(self.cancellation())
        case .cancelDone: .cancelDone(self.id(), self.id(), balance: self.won(), at: self.moment())
        case .credited: .credited(self.id(), self.id(), self.id(), self.won(), at: self.moment())
        case .cancelRefused: .cancelRefused(self.id(), self.id(), at: self.moment())
        case .transferred: .transferred(self.transferOrder(self.one()), self.id(), at: self.moment())
        case .transferRefused: .transferRefused(self.transferOrder(self.one()), at: self.moment())
        case .idsSkipped: .idsSkipped(UInt64.random(in: 0...SlotIDs.counterMax, using: &self), at: self.moment())
        case .answered: .answered(self.answer())
        case .answeredFromAddress: .answered(self.answer(from: AddressTag(self.next() | 1)))
        }
    }

    private mutating func transferOrder(_ direction: Transfer.Direction) -> TransferOrder {
        let slot = Slot(checking: UInt16.random(in: 0..<UInt16(Slot.count), using: &self))!
        let counter = UInt64.random(in: 1...SlotIDs.counterMax, using: &self)
        return TransferOrder(
            id: TransferID(SlotIDs.make(slot, counter: counter)),
            direction: direction,
            concert: self.id(),
            user: self.id(),
            amount: self.won(),
            settled: UInt64.random(in: 0..<counter, using: &self)
        )
    }

    private mutating func cancellation() -> CancellationOrder {
        CancellationOrder(
            id: self.id(),
            concert: self.id(),
            user: self.id(),
            reservations: self.ids(),
            amount: self.won(),
            at: self.moment()
        )
    }

    mutating func answer(from address: AddressTag? = nil) -> StoredAnswer {
        let kind: StoredAnswer.Outcome.Kind = self.one()
        let outcome: StoredAnswer.Outcome =
            switch kind {
            case .joined: .joined(Joined(place: self.place(), issuedAt: self.moment(), standing: self.standing()))
            case .left: .left
            case .held: .held(self.id())
            case .released: .released
            case .paying: .paying(self.id())
            case .points: .points(balance: self.won())
            case .cancelling: .cancelling(self.id())
            case .claimed: .claimed
            case .refused: .refused(self.one())
            }
        return StoredAnswer(
            operation: Operation(
                OperationID(high: self.next(), low: self.next()),
                address == nil ? self.one() : .client,
                from: address
            ),
            fingerprint: self.next(),
            outcome: outcome,
            at: self.moment()
        )
    }

    private mutating func order() -> PaymentOrder {
        PaymentOrder(
            id: self.id(),
            concert: self.id(),
            user: self.id(),
            place: self.place(),
            reservations: self.ids(),
            amount: self.won(),
            at: self.moment()
        )
    }
}
