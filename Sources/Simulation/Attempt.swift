import Booking

/// One request of one fan, from the click to the answer.
final class Attempt {
    enum Outcome: Equatable {
        case open
        /// Carried out, and the fan was told so.
        case acknowledged
        /// Not carried out, for ever.
        case refused
        /// The answer that there was before, under the same key.
        case heardAgain
        /// Nobody told the fan: it may have been carried out, or may yet be.
        case unknown
    }

    let fan: Int
    let gateway: Int
    /// The gateway's life at which it was sent.
    let gatewayLife: Int
    let request: Request
    /// A pass that nobody was given.
    let isForged: Bool
    /// The fan's key, if it has given the request one.
    let key: OperationID?
    /// The address that a key counts for; nil for one that is trusted.
    let address: AddressTag?
    /// The fan has had an answer under this key.
    let isEcho: Bool
    let sentAt: Timestamp
    /// How many facts of the shard that decides were durable when it was sent: no answer may be older.
    let durableAtStart: Int
    var outcome = Outcome.open
    /// The number of its connection at the gateway.
    var connection: UInt64 = 0

    init(
        fan: Int,
        gateway: Int,
        gatewayLife: Int,
        request: Request,
        isForged: Bool,
        key: OperationID?,
        address: AddressTag?,
        isEcho: Bool,
        sentAt: Timestamp,
        durableAtStart: Int
    ) {
        self.fan = fan
        self.gateway = gateway
        self.gatewayLife = gatewayLife
        self.request = request
        self.isForged = isForged
        self.key = key
        self.address = address
        self.isEcho = isEcho
        self.sentAt = sentAt
        self.durableAtStart = durableAtStart
    }

    /// Whose line it is about, where a gateway can tell before it reads the whole request.
    var concertAtAGlance: ConcertID? {
        switch self.request {
        case .join(let concert, _): concert
        case .poll(let pass), .reserve(let pass, _, _): pass.concert
        default: nil
        }
    }

    /// What the facts that it asks for are found by.
    var deeds: [Deed] {
        switch self.request {
        case .join(let concert, let user): [.join(concert, user)]
        case .leave(let pass): [.leave(pass.concert, pass.place)]
        case .reserve(let pass, let schedule, let seats): seats.map { .hold(pass.user, schedule, $0) }
        case .release(_, let ids): ids.map { .release($0) }
        case .pay(_, let ids): ids.map { .pay($0) }
        case .cancel(_, _, let ids): ids.map { .cancel($0) }
        case .charge(let user, let amount, _): [.charge(user, amount)]
        case .use(let user, let amount): [.use(user, amount)]
        case .poll, .schedules, .seats, .reservations, .balance, .history, .transfer, .transfersSeen, .claim: []
        }
    }
}

/// Something that a fan may ask for and that a fact says was done.
enum Deed: Hashable {
    case join(ConcertID, UserID)
    case leave(ConcertID, Place)
    case hold(UserID, ScheduleID, SeatID)
    case release(ReservationID)
    case pay(ReservationID)
    case cancel(ReservationID)
    /// A fan never charges the same amount twice, unless it repeats a request.
    case charge(UserID, Won)
    case use(UserID, Won)

    /// Asking again changes nothing and is answered the same: so there may be fewer facts than acknowledgements.
    var isIdempotent: Bool {
        switch self {
        case .join, .leave, .release, .pay, .cancel: true
        case .hold, .charge, .use: false
        }
    }
}

/// How often a deed was asked for, and how often it was done.
struct DeedTally {
    var asked = 0
    var acknowledged = 0
    var refused = 0
    var done = 0

    /// A deed is done at most once, however often its request was sent: by a gateway, or by a fan with the same key.
    var doneMax: Int { self.asked - self.refused }
}
