public import Booking

extension Request {
    /// Appends one frame. Throws, and appends nothing, if its ids would make it longer than `FrameLimits.bytesMax`:
    /// only `reserve`, `release`, `pay` and `cancel` can be. The other kinds allocate nothing. `key` is a client's,
    /// for changes only.
    public func encode(
        into bytes: inout FrameBytes,
        slot: Slot,
        requestID: UInt64,
        key: ClientKey? = nil
    ) throws(WireError) {
        let flags = key.map { $0.address == nil ? FrameFlags.key : FrameFlags.keyWithAddress } ?? 0
        let start = bytes.beginFrame(kind: self.kind.rawValue, flags: flags, slot: slot.rawValue, requestID: requestID)
        if let key {
            bytes.append(key.operation.high)
            bytes.append(key.operation.low)
            if let address = key.address { bytes.append(address.rawValue) }
        }
        switch self {
        case .join(let concert, let user), .reservations(let concert, let user):
            bytes.append(concert)
            bytes.append(user)
        case .poll(let pass), .leave(let pass):
            bytes.append(pass)
        case .schedules(let concert):
            bytes.append(concert)
        case .seats(let concert, let schedule):
            bytes.append(concert)
            bytes.append(schedule)
        case .reserve(let pass, let schedule, let seats):
            bytes.append(pass)
            bytes.append(schedule)
            bytes.append(ids: seats)
        case .release(let pass, let reservations), .pay(let pass, let reservations):
            bytes.append(pass)
            bytes.append(ids: reservations)
        case .charge(let user, let amount, let paymentType):
            bytes.append(user)
            bytes.append(amount)
            bytes.append(paymentType.rawValue)
        case .use(let user, let amount):
            bytes.append(user)
            bytes.append(amount)
        case .balance(let user):
            bytes.append(user)
        case .history(let user, let query):
            bytes.append(user)
            bytes.append(query)
        case .transfer(let order):
            bytes.append(fieldsOf: order)
        case .transfersSeen(let shard):
            bytes.append(shard)
        case .cancel(let concert, let user, let reservations):
            bytes.append(concert)
            bytes.append(user)
            bytes.append(ids: reservations)
        case .claim(let user, let fingerprint):
            bytes.append(user)
            bytes.append(fingerprint)
        }
        try bytes.endFrame(start)
    }

    /// Throws for a frame that is not a request, for values out of range, and for bytes left over.
    public init(frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.header.kind) else { throw WireError("the frame is not a request") }
        let keyBytes = FrameFlags.keyBytes(frame.header.flags)
        let hasKey = keyBytes.map { $0 > 0 } ?? false
        var reader = hasKey ? FrameReader(frame.body) : try frame.reader()
        if hasKey { _ = try reader.readBytes(keyBytes ?? 0) }
        switch kind {
        case .join: self = .join(try reader.readID(), try reader.readID())
        case .poll: self = .poll(try reader.readPass())
        case .leave: self = .leave(try reader.readPass())
        case .schedules: self = .schedules(try reader.readID())
        case .seats: self = .seats(try reader.readID(), try reader.readID())
        case .reserve: self = .reserve(try reader.readPass(), try reader.readID(), try reader.readIDs())
        case .release: self = .release(try reader.readPass(), try reader.readIDs())
        case .reservations: self = .reservations(try reader.readID(), try reader.readID())
        case .pay: self = .pay(try reader.readPass(), try reader.readIDs())
        case .charge:
            self = .charge(try reader.readID(), try reader.readAskedWon(), try reader.readCase("payment type"))
        case .use: self = .use(try reader.readID(), try reader.readAskedWon())
        case .balance: self = .balance(try reader.readID())
        case .history: self = .history(try reader.readID(), try reader.readHistoryQuery())
        case .debit: self = .transfer(try reader.readTransferOrder(.debit))
        case .credit: self = .transfer(try reader.readTransferOrder(.credit))
        case .transfersSeen: self = .transfersSeen(shard: try reader.readUInt16())
        case .cancel: self = .cancel(try reader.readID(), try reader.readID(), try reader.readIDs())
        case .claim: self = .claim(try reader.readID(), fingerprint: try reader.readUInt64())
        }
        try reader.end()
        guard !hasKey || self.mutatingUser != nil else {
            throw WireError("a request that changes nothing came with a key")
        }
    }
}

extension FrameBytes {
    /// 0 for both types, else the transaction type plus one.
    fileprivate mutating func append(_ query: HistoryQuery) {
        self.append(query.only.map { $0.rawValue + 1 } ?? 0)
        self.append(query.page)
        self.append(query.size)
    }
}

extension FrameReader {
    fileprivate mutating func readHistoryQuery() throws(WireError) -> HistoryQuery {
        let filter = try self.readUInt8()
        let only = filter == 0 ? nil : TransactionType(rawValue: filter - 1)
        guard filter == 0 || only != nil else { throw WireError("there is no such transaction type") }
        let page = try self.readUInt32()
        let size = try self.readUInt32()
        guard page <= HistoryQuery.pageMax, (1...HistoryQuery.sizeMax).contains(size) else {
            throw WireError("a page of the history is out of range")
        }
        return HistoryQuery(only: only, page: page, size: size)
    }
}
