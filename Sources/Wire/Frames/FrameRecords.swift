import Booking

// The records that replies, facts and snapshots share: writing and reading. Facts and snapshots are kept for years: a
// record with a new field gets a new layout beside this one, and readers of both.

extension FrameBytes {
    /// Without the bytes of the grade.
    static let reservationBytes = 66
    static let historyEntryBytes = 26

    /// The constant part of a reservation: user, seat, price, and the times of the hold.
    mutating func append(hold reservation: Reservation) {
        self.append(reservation.id)
        self.append(reservation.user)
        self.append(reservation.schedule)
        self.append(reservation.seat)
        self.append(reservation.price)
        self.append(reservation.heldAt)
        self.append(reservation.until)
    }

    /// A whole reservation; a payment of 0 stands for none.
    mutating func append(_ reservation: Reservation) {
        self.append(ungraded: reservation)
        self.append(grade: reservation.grade ?? "")
    }

    /// A whole reservation without its grade.
    mutating func append(ungraded reservation: Reservation) {
        self.append(hold: reservation)
        self.append(reservation.status.rawValue)
        self.append(reservation.payment?.rawValue ?? 0)
    }

    /// A `u8` count of bytes, then the grade in UTF-8, which is never longer.
    mutating func append(grade: String) {
        var grade = grade
        grade.withUTF8 {
            precondition($0.count <= Hall.gradeBytesMax, "a grade is longer than a hall may have")
            self.append(UInt8($0.count))
            self.append(UnsafeRawBufferPointer($0))
        }
    }

    mutating func append(_ order: PaymentOrder) {
        self.append(order.id)
        self.append(order.concert)
        self.append(order.user)
        self.append(order.place)
        self.append(order.amount)
        self.append(order.at)
        self.append(ids: order.reservations)
    }

    mutating func append(_ order: CancellationOrder) {
        self.append(order.id)
        self.append(order.concert)
        self.append(order.user)
        self.append(order.amount)
        self.append(order.at)
        self.append(ids: order.reservations)
    }

    /// Without the direction, which the kind of the enclosing record gives.
    mutating func append(fieldsOf order: TransferOrder) {
        self.append(order.id)
        self.append(order.concert)
        self.append(order.user)
        self.append(order.amount)
        self.append(order.settled)
    }

    mutating func append(_ entry: HistoryEntry) {
        self.append(entry.id)
        self.append(entry.amount)
        self.append(entry.type.rawValue)
        self.append(entry.paymentType.rawValue)
        self.append(entry.at)
    }
}

extension FrameReader {
    /// A new hold without its grade: not paid, cancelled or pinned.
    mutating func readHold() throws(WireError) -> Reservation {
        Reservation(
            id: try self.readID(),
            user: try self.readID(),
            schedule: try self.readID(),
            seat: try self.readID(),
            price: try self.readWon(),
            heldAt: try self.readTimestamp(),
            until: try self.readTimestamp()
        )
    }

    mutating func readReservation() throws(WireError) -> Reservation {
        var reservation = try self.readUngradedReservation()
        reservation.grade = try self.readGrade()
        return reservation
    }

    mutating func readGrade() throws(WireError) -> String {
        let count = Int(try self.readUInt8())
        guard count <= Hall.gradeBytesMax else { throw WireError("a grade is longer than a hall may have") }
        guard let grade = String(validating: try self.readBytes(count), as: UTF8.self) else {
            throw WireError("a text is not UTF-8")
        }
        return grade
    }

    mutating func readUngradedReservation() throws(WireError) -> Reservation {
        var reservation = try self.readHold()
        reservation.status = try self.readCase("reservation status")
        let payment = try self.readUInt64()
        guard payment <= IdentifierLimits.max else { throw WireError("an identifier is out of range") }
        reservation.payment = payment == 0 ? nil : PaymentID(payment)
        return reservation
    }

    mutating func readPaymentOrder() throws(WireError) -> PaymentOrder {
        let id: PaymentID = try self.readID()
        let concert: ConcertID = try self.readID()
        let user: UserID = try self.readID()
        let place = try self.readPlace()
        let amount = try self.readWon()
        let at = try self.readTimestamp()
        return PaymentOrder(
            id: id,
            concert: concert,
            user: user,
            place: place,
            reservations: try self.readIDs(),
            amount: amount,
            at: at
        )
    }

    mutating func readCancellationOrder() throws(WireError) -> CancellationOrder {
        let id: CancellationID = try self.readID()
        let concert: ConcertID = try self.readID()
        let user: UserID = try self.readID()
        let amount = try self.readWon()
        let at = try self.readTimestamp()
        return CancellationOrder(
            id: id,
            concert: concert,
            user: user,
            reservations: try self.readIDs(),
            amount: amount,
            at: at
        )
    }

    mutating func readTransferOrder(_ direction: Transfer.Direction) throws(WireError) -> TransferOrder {
        let id: TransferID = try self.readID()
        let concert: ConcertID = try self.readID()
        let user: UserID = try self.readID()
        let amount = try self.readWon()
        let settled = try self.readUInt64()
        guard settled < SlotIDs.counter(of: id.rawValue) else {
            throw WireError("a transfer counts as settled before it is decided")
        }
        return TransferOrder(
            id: id,
            direction: direction,
            concert: concert,
            user: user,
            amount: amount,
            settled: settled
        )
    }

    mutating func readSlot() throws(WireError) -> Slot {
        guard let slot = Slot(checking: try self.readUInt16()) else { throw WireError("there is no such slot") }
        return slot
    }

    /// The counter of an id; 0 stands for none.
    mutating func readCounter() throws(WireError) -> UInt64 {
        let counter = try self.readUInt64()
        guard counter <= SlotIDs.counterMax else { throw WireError("a slot's counter is beyond its last id") }
        return counter
    }

    mutating func readHistoryEntry() throws(WireError) -> HistoryEntry {
        HistoryEntry(
            id: try self.readID(),
            amount: try self.readWon(),
            type: try self.readCase("transaction type"),
            paymentType: try self.readCase("payment type"),
            at: try self.readTimestamp()
        )
    }
}
