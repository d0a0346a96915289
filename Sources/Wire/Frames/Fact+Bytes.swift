public import Booking

/// Facts as the journal keeps them. Stable forever: every later version reads an old journal.
///
///     │ kind u8 │ layout u8 │ fields, little-endian ... │
///
/// A kind's layout number increases when its fields change; readers then know both. A batch is a sequence of facts;
/// their count is in the batch's own header, which the journal keeps.
extension Fact {
    /// The layout of all kinds but `held`, whose second layout has the grade of the seat.
    private static let layout: UInt8 = 1
    private static let gradedLayout: UInt8 = 2

    /// Appends the fact. Allocates nothing beyond the buffer's own growth.
    public func encode(into bytes: inout FrameBytes) {
        bytes.append(self.factKind.rawValue)
        bytes.append(self.layout)
        switch self {
        case .joined(let concert, let user, let place, let at):
            bytes.append(concert)
            bytes.append(user)
            bytes.append(place)
            bytes.append(at)
        case .admitted(let concert, let place, let at), .left(let concert, let place, let at),
            .lapsed(let concert, let place, let at):
            bytes.append(concert)
            bytes.append(place)
            bytes.append(at)
        case .held(let concert, let reservation):
            bytes.append(concert)
            bytes.append(held: reservation)
            if let grade = reservation.grade { bytes.append(grade: grade) }
        case .released(let concert, let reservation, let reason, let at):
            bytes.append(concert)
            bytes.append(reservation)
            bytes.append(reason.rawValue)
            bytes.append(at)
        case .paymentStarted(let order):
            bytes.append(order)
        case .paymentDone(let concert, let payment, let balance, let at):
            bytes.append(concert)
            bytes.append(payment)
            bytes.append(balance)
            bytes.append(at)
        case .paymentRefused(let concert, let payment, let at):
            bytes.append(concert)
            bytes.append(payment)
            bytes.append(at)
        case .cancelStarted(let order):
            bytes.append(order)
        case .cancelDone(let concert, let cancellation, let balance, let at):
            bytes.append(concert)
            bytes.append(cancellation)
            bytes.append(balance)
            bytes.append(at)
        case .charged(let user, let id, let amount, let paymentType, let at):
            bytes.append(user)
            bytes.append(id)
            bytes.append(amount)
            bytes.append(paymentType.rawValue)
            bytes.append(at)
        case .used(let user, let id, let amount, let at):
            bytes.append(user)
            bytes.append(id)
            bytes.append(amount)
            bytes.append(at)
        case .debited(let user, let id, let payment, let amount, let at):
            bytes.append(user)
            bytes.append(id)
            bytes.append(payment)
            bytes.append(amount)
            bytes.append(at)
        case .debitRefused(let user, let payment, let at):
            bytes.append(user)
            bytes.append(payment)
            bytes.append(at)
        case .credited(let user, let id, let cancellation, let amount, let at):
            bytes.append(user)
            bytes.append(id)
            bytes.append(cancellation)
            bytes.append(amount)
            bytes.append(at)
        case .cancelRefused(let concert, let cancellation, let at):
            bytes.append(concert)
            bytes.append(cancellation)
            bytes.append(at)
        case .transferred(let order, let id, let at):
            bytes.append(order)
            bytes.append(id)
            bytes.append(at)
        case .transferRefused(let order, let at):
            bytes.append(order)
            bytes.append(at)
        case .idsSkipped(let count, let at):
            bytes.append(count)
            bytes.append(at)
        case .answered(let answer):
            if let address = answer.operation.address { bytes.append(address.rawValue) }
            bytes.append(answer)
        }
    }

    /// Reads one fact and advances the cursor. Throws, naming it, for a kind or a layout of a newer version.
    public init(from reader: inout FrameReader) throws(WireError) {
        let number = try reader.readUInt8()
        guard let kind = Kind(rawValue: number) else {
            throw WireError("fact kind \(number) is not known to this version: a newer one wrote it")
        }
        let layout = try reader.readUInt8()
        let newest = kind == .held ? Self.gradedLayout : Self.layout
        guard layout >= Self.layout, layout <= newest else {
            throw WireError("fact \(kind) has layout \(layout), and this version reads layouts up to \(newest)")
        }
        switch kind {
        case .joined:
            let concert: ConcertID = try reader.readID()
            let user: UserID = try reader.readID()
            self = .joined(concert, user, try reader.readPlace(), at: try reader.readTimestamp())
        case .admitted: self = .admitted(try reader.readID(), try reader.readPlace(), at: try reader.readTimestamp())
        case .left: self = .left(try reader.readID(), try reader.readPlace(), at: try reader.readTimestamp())
        case .lapsed: self = .lapsed(try reader.readID(), try reader.readPlace(), at: try reader.readTimestamp())
        case .held:
            let concert: ConcertID = try reader.readID()
            var hold = try reader.readHold()
            if layout == Self.gradedLayout { hold.grade = try reader.readGrade() }
            self = .held(concert, hold)
        case .released:
            let concert: ConcertID = try reader.readID()
            let reservation: ReservationID = try reader.readID()
            let reason: ReleaseReason = try reader.readCase("release reason")
            self = .released(concert, reservation, reason, at: try reader.readTimestamp())
        case .paymentStarted: self = .paymentStarted(try reader.readPaymentOrder())
        case .paymentDone:
            let concert: ConcertID = try reader.readID()
            let payment: PaymentID = try reader.readID()
            self = .paymentDone(concert, payment, balance: try reader.readWon(), at: try reader.readTimestamp())
        case .paymentRefused:
            self = .paymentRefused(try reader.readID(), try reader.readID(), at: try reader.readTimestamp())
        case .cancelStarted: self = .cancelStarted(try reader.readCancellationOrder())
        case .cancelDone:
            let concert: ConcertID = try reader.readID()
            let cancellation: CancellationID = try reader.readID()
            self = .cancelDone(concert, cancellation, balance: try reader.readWon(), at: try reader.readTimestamp())
        case .charged:
            let user: UserID = try reader.readID()
            let id: PointHistoryID = try reader.readID()
            let amount = try reader.readWon()
            let paymentType: PaymentType = try reader.readCase("payment type")
            self = .charged(user, id, amount, paymentType, at: try reader.readTimestamp())
        case .used:
            let user: UserID = try reader.readID()
            let id: PointHistoryID = try reader.readID()
            self = .used(user, id, try reader.readWon(), at: try reader.readTimestamp())
        case .debited:
            let user: UserID = try reader.readID()
            let id: PointHistoryID = try reader.readID()
            let payment: PaymentID = try reader.readID()
            self = .debited(user, id, payment, try reader.readWon(), at: try reader.readTimestamp())
        case .debitRefused:
            self = .debitRefused(try reader.readID(), try reader.readID(), at: try reader.readTimestamp())
        case .credited:
            let user: UserID = try reader.readID()
            let id: PointHistoryID = try reader.readID()
            let cancellation: CancellationID = try reader.readID()
            self = .credited(user, id, cancellation, try reader.readWon(), at: try reader.readTimestamp())
        case .cancelRefused:
            self = .cancelRefused(try reader.readID(), try reader.readID(), at: try reader.readTimestamp())
        case .transferred:
            let order = try reader.readTransferOrder()
            self = .transferred(order, try reader.readID(), at: try reader.readTimestamp())
        case .transferRefused:
            self = .transferRefused(try reader.readTransferOrder(), at: try reader.readTimestamp())
        case .idsSkipped: self = .idsSkipped(try reader.readCounter(), at: try reader.readTimestamp())
        case .answered: self = .answered(try reader.readKeptAnswer())
        case .answeredFromAddress: self = .answered(try reader.readKeptAnswer(from: try reader.readAddressTag()))
        }
    }

    /// Calls `body` with each of the `count` facts of a batch, in order. Throws if there are fewer or more.
    public static func forEach(
        in batch: UnsafeRawBufferPointer,
        count: Int,
        _ body: (Fact) throws(WireError) -> Void
    ) throws(WireError) {
        precondition(count >= 0, "a batch has no negative number of facts")
        var reader = FrameReader(batch)
        for _ in 0..<count { try body(try Fact(from: &reader)) }
        try reader.end()
    }

    /// A hold that was read in the first layout has no grade, and is written in that layout.
    private var layout: UInt8 {
        guard case .held(_, let hold) = self, hold.grade != nil else { return Self.layout }
        return Self.gradedLayout
    }

    private var factKind: Kind {
        switch self {
        case .joined: .joined
        case .admitted: .admitted
        case .left: .left
        case .lapsed: .lapsed
        case .held: .held
        case .released: .released
        case .paymentStarted: .paymentStarted
        case .paymentDone: .paymentDone
        case .paymentRefused: .paymentRefused
        case .cancelStarted: .cancelStarted
        case .cancelDone: .cancelDone
        case .charged: .charged
        case .used: .used
        case .debited: .debited
        case .debitRefused: .debitRefused
        case .credited: .credited
        case .cancelRefused: .cancelRefused
        case .transferred: .transferred
        case .transferRefused: .transferRefused
        case .idsSkipped: .idsSkipped
        case .answered(let answer): answer.operation.address == nil ? .answered : .answeredFromAddress
        }
    }
}

extension FrameReader {
    fileprivate mutating func readTransferOrder() throws(WireError) -> TransferOrder {
        let direction: Transfer.Direction = try self.readCase("direction of a transfer")
        return try self.readTransferOrder(direction)
    }
}

extension FrameBytes {
    fileprivate mutating func append(_ order: TransferOrder) {
        self.append(order.direction.rawValue)
        self.append(fieldsOf: order)
    }

    /// A new hold: not paid, cancelled or pinned, so these fields are left out.
    fileprivate mutating func append(held reservation: Reservation) {
        precondition(
            reservation.status == .held && reservation.payment == nil,
            "reservation \(reservation.id) is recorded as held, but it isn't a fresh hold"
        )
        self.append(hold: reservation)
    }
}
