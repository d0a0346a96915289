public import Booking

extension Reply {
    /// Appends one frame. Throws, and appends nothing, if a list would make it longer than `FrameLimits.bytesMax`
    /// (15,000 reservations, say): the shell then answers with a refusal instead. Replies without lists never throw,
    /// and allocate nothing.
    public func encode(into bytes: inout FrameBytes, slot: Slot, requestID: UInt64) throws(WireError) {
        let start = bytes.beginFrame(kind: self.kind.rawValue, slot: slot.rawValue, requestID: requestID)
        switch self {
        case .joined(let joined):
            bytes.append(joined.place)
            bytes.append(joined.issuedAt)
            bytes.append(joined.standing)
        case .standing(let standing):
            bytes.append(standing)
        case .left:
            break
        case .schedules(let counts):
            bytes.reserve(4 + counts.count * 4)
            bytes.append(UInt32(counts.count))
            for count in counts { bytes.append(count) }
        case .seats(let seats):
            bytes.reserve(4 + seats.count)
            bytes.append(UInt32(seats.count))
            for seat in seats { bytes.append(seat.rawValue) }
        case .reservations(let reservations):
            bytes.append(reservations)
        case .paid(let receipt), .cancelled(let receipt):
            bytes.append(receipt.user)
            bytes.append(receipt.amount)
            bytes.append(receipt.balance)
            bytes.append(receipt.reservations)
        case .points(let change):
            bytes.append(change.amount)
            bytes.append(change.balance)
            bytes.append(change.type.rawValue)
            bytes.append(change.paymentType.rawValue)
            bytes.append(change.at)
        case .balance(let balance):
            bytes.append(balance.balance)
            bytes.append(balance.updatedAt == nil ? 0 : 1 as UInt8)
            bytes.append(balance.updatedAt ?? Timestamp(nanoseconds: 0))
        case .history(let entries):
            bytes.append(entries)
        case .debited(let balance), .credited(let balance):
            bytes.append(balance)
        case .claimed:
            break
        case .transfersSeen(let marks):
            bytes.reserve(4 + marks.count * FrameReader.transferMarkBytes)
            bytes.append(UInt32(marks.count))
            for mark in marks {
                bytes.append(mark.slot.rawValue)
                bytes.append(mark.counter)
            }
        case .refused(let refusal):
            bytes.append(refusal.rawValue)
        case .refusedFor(let refusal, let seconds):
            bytes.append(refusal.rawValue)
            bytes.append(seconds)
        }
        try bytes.endFrame(start)
    }

    /// Throws for a frame that is not a reply, for values out of range, and for bytes left over.
    public init(frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.header.kind) else { throw WireError("the frame is not a reply") }
        var reader = try frame.reader()
        switch kind {
        case .joined:
            let place = try reader.readPlace()
            let issuedAt = try reader.readTimestamp()
            self = .joined(Joined(place: place, issuedAt: issuedAt, standing: try reader.readStanding()))
        case .standing: self = .standing(try reader.readStanding())
        case .left: self = .left
        case .schedules: self = .schedules(try reader.readFreeSeatCounts())
        case .seats: self = .seats(try reader.readSeats())
        case .reservations: self = .reservations(try reader.readReservations())
        case .paid: self = .paid(try reader.readReceipt())
        case .points: self = .points(try reader.readPointsChange())
        case .balance: self = .balance(try reader.readBalance())
        case .history: self = .history(try reader.readHistory())
        case .debited: self = .debited(try reader.readWon())
        case .cancelled: self = .cancelled(try reader.readReceipt())
        case .credited: self = .credited(try reader.readWon())
        case .claimed: self = .claimed
        case .transfersSeen: self = .transfersSeen(try reader.readTransferMarks())
        case .refused: self = .refused(try reader.readRefusal())
        case .refusedFor: self = .refusedFor(try reader.readRefusal(), seconds: try reader.readUInt32())
        }
        try reader.end()
    }
}

extension FrameBytes {
    fileprivate mutating func append(_ reservations: [Reservation]) {
        self.reserve(4 + reservations.count * Self.reservationBytes)
        self.append(UInt32(reservations.count))
        for reservation in reservations { self.append(reservation) }
    }

    fileprivate mutating func append(_ entries: [HistoryEntry]) {
        self.reserve(4 + entries.count * Self.historyEntryBytes)
        self.append(UInt32(entries.count))
        for entry in entries { self.append(entry) }
    }
}

extension FrameReader {
    fileprivate mutating func readFreeSeatCounts() throws(WireError) -> [UInt32] {
        let count = try self.readCount(ofSize: 4)
        var counts: [UInt32] = []
        counts.reserveCapacity(count)
        for _ in 0..<count {
            let free = try self.readUInt32()
            guard free <= Hall.seatCountMax else { throw WireError("a hall has more free seats than a hall may have") }
            counts.append(free)
        }
        return counts
    }

    fileprivate mutating func readSeats() throws(WireError) -> [SeatStatus] {
        let count = try self.readCount(ofSize: 1)
        guard count <= Hall.seatCountMax else { throw WireError("a hall has more seats than a hall may have") }
        var seats: [SeatStatus] = []
        seats.reserveCapacity(count)
        for byte in try self.readBytes(count) {
            guard let status = SeatStatus(rawValue: byte) else { throw WireError("there is no such seat status") }
            seats.append(status)
        }
        return seats
    }

    fileprivate mutating func readReservations() throws(WireError) -> [Reservation] {
        let count = try self.readCount(ofSize: FrameBytes.reservationBytes)
        var reservations: [Reservation] = []
        reservations.reserveCapacity(count)
        for _ in 0..<count { reservations.append(try self.readReservation()) }
        return reservations
    }

    fileprivate mutating func readReceipt() throws(WireError) -> Receipt {
        Receipt(
            user: try self.readID(),
            amount: try self.readWon(),
            balance: try self.readWon(),
            reservations: try self.readReservations()
        )
    }

    fileprivate static let transferMarkBytes = 10

    fileprivate mutating func readTransferMarks() throws(WireError) -> [TransferMark] {
        let count = try self.readCount(ofSize: Self.transferMarkBytes)
        var marks: [TransferMark] = []
        marks.reserveCapacity(count)
        for _ in 0..<count {
            marks.append(TransferMark(slot: try self.readSlot(), counter: try self.readCounter()))
        }
        return marks
    }

    fileprivate mutating func readPointsChange() throws(WireError) -> PointsChange {
        PointsChange(
            amount: try self.readWon(),
            balance: try self.readWon(),
            type: try self.readCase("transaction type"),
            paymentType: try self.readCase("payment type"),
            at: try self.readTimestamp()
        )
    }

    fileprivate mutating func readBalance() throws(WireError) -> Balance {
        let balance = try self.readWon()
        let hasTime = try self.readUInt8()
        let at = try self.readTimestamp()
        guard hasTime == 1 || (hasTime == 0 && at.nanoseconds == 0) else {
            throw WireError("the flag of a balance's time is neither 0 nor 1")
        }
        return Balance(balance: balance, updatedAt: hasTime == 1 ? at : nil)
    }

    fileprivate mutating func readHistory() throws(WireError) -> [HistoryEntry] {
        let count = try self.readCount(ofSize: FrameBytes.historyEntryBytes)
        var entries: [HistoryEntry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try self.readHistoryEntry()) }
        return entries
    }
}
