/// The number of one change, the same each time its request is sent: 128 bits, so none collide by chance.
///
/// A client's is its user's number (`high`) and a hash of the key and the user. A gateway's is the number of the
/// gateway's life (random, new at each start) and the request's id at its shard, so it is valid there only.
public struct OperationID: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Hashes as identifiers do, and for the same reason: each request looks it up several times.
    public func _rawHashValue(seed: Int) -> Int {
        Int(truncatingIfNeeded: IdentifierHash.secret.hash(of: self.high, self.low, seed: seed))
    }

    /// 32 hexadecimal digits.
    public var description: String { Self.digits(self.high) + Self.digits(self.low) }

    static func digits(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What makes repeated sendings of a request one request.
public struct Operation: Hashable, Sendable {
    /// The source of the number, on which the promise depends.
    public enum Owner: UInt8, Sendable, CaseIterable {
        /// A gateway, for resends of requests that were in flight when a link was lost. No other process hears the
        /// answer, so refusals may be decided again, and so may idempotent changes.
        case gateway = 0
        /// A client, by its key: every repeat of the key gets the first answer, also a refusal.
        case client = 1
    }

    public let id: OperationID
    public let owner: Owner
    /// Of a client's key: the address whose limit its first use counts towards.
    public let address: AddressTag?

    public init(_ id: OperationID, _ owner: Owner, from address: AddressTag? = nil) {
        self.id = id
        self.owner = owner
        self.address = address
    }
}

extension Request {
    /// Tells whether a repeated key came with the same request: a hash of the call and all its inputs, the same in
    /// every version and after every restart (FNV-1a over their numbers). It protects a client from its own mistakes,
    /// not from an attacker: the key is hashed with its user by a stronger function.
    var fingerprint: UInt64 {
        var hash = Fingerprint()
        hash.mix(UInt64(self.kind.rawValue))
        switch self {
        case .join(let concert, let user), .reservations(let concert, let user):
            hash.mix(concert)
            hash.mix(user)
        case .poll(let pass), .leave(let pass): hash.mix(pass)
        case .schedules(let concert): hash.mix(concert)
        case .seats(let concert, let schedule):
            hash.mix(concert)
            hash.mix(schedule)
        case .reserve(let pass, let schedule, let seats):
            hash.mix(pass)
            hash.mix(schedule)
            for seat in seats { hash.mix(seat) }
        case .release(let pass, let reservations), .pay(let pass, let reservations):
            hash.mix(pass)
            for reservation in reservations { hash.mix(reservation) }
        case .cancel(let concert, let user, let reservations):
            hash.mix(concert)
            hash.mix(user)
            for reservation in reservations { hash.mix(reservation) }
        case .charge(let user, let amount, let type):
            hash.mix(user)
            hash.mix(UInt64(bitPattern: amount.rawValue))
            hash.mix(UInt64(type.rawValue))
        case .use(let user, let amount):
            hash.mix(user)
            hash.mix(UInt64(bitPattern: amount.rawValue))
        case .balance(let user), .history(let user, _): hash.mix(user)
        case .claim(_, let fingerprint): return fingerprint
        case .transfer(let order):
            hash.mix(order.id)
            hash.mix(order.concert)
            hash.mix(order.user)
            hash.mix(UInt64(bitPattern: order.amount.rawValue))
        case .transfersSeen(let shard): hash.mix(UInt64(shard))
        }
        return hash.value
    }
}

extension Refusal {
    /// Whether the answer is final. Other answers say that nothing was decided and ask for a retry.
    var isFinal: Bool {
        switch self {
        case .overloaded, .unavailable, .storageUnavailable, .clockSuspended, .wrongShard, .paymentInProgress,
            .cancelInProgress, .keyReused, .tooManyKeys, .tooManyKeysOfAddress, .keysFull, .seatKeptTooLong,
            .transferConflict, .transferForgotten:
            false
        case .unknownConcert, .tokenUnknown, .notAdmitted, .noSuchSchedule, .scheduleOver, .noSuchSeat, .seatTaken,
            .noSeats, .tooManySeats, .duplicateSeat, .noSuchReservation, .noReservations, .duplicateReservation,
            .holdExpired, .alreadyPaid, .insufficientPoints, .chargeNotPositive, .chargeTooLarge, .balanceTooLarge,
            .useNotPositive, .notPaid, .cancelTooLate, .alreadyCancelled, .seatsPerUserExceeded,
            .concertOver, .stayOver:
            true
        }
    }
}

private struct Fingerprint {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ id: some Identifier) { self.mix(id.rawValue) }

    mutating func mix(_ pass: Pass) {
        self.mix(pass.concert)
        self.mix(pass.user)
        self.mix(pass.place.rawValue)
        self.mix(UInt64(bitPattern: pass.issuedAt.nanoseconds))
    }

    mutating func mix(_ number: UInt64) {
        for shift: UInt64 in stride(from: 0, to: 64, by: 8) {
            self.value = (self.value ^ (number >> shift & 0xFF)) &* 0x100_0000_01b3
        }
    }
}
