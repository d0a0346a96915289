/// The request of a concert's shard to a user's shard: move the points of one payment or cancellation, once.
///
/// The id alone does not identify a transfer: a shard whose journal was restored from an older copy may reuse an id. So
/// the order names everything that makes it this transfer, and the user's shard compares all of it.
public struct TransferOrder: Equatable, Sendable {
    public let id: TransferID
    public let direction: Transfer.Direction
    public let concert: ConcertID
    public let user: UserID
    public let amount: Won
    /// The low-water mark of this slot's ids: all transfers to this user's shard up to this counter are durably decided
    /// by the concert's shard, and are never requested again. Below the counter of `id`.
    public let settled: UInt64

    public init(
        id: TransferID,
        direction: Transfer.Direction,
        concert: ConcertID,
        user: UserID,
        amount: Won,
        settled: UInt64
    ) {
        self.id = id
        self.direction = direction
        self.concert = concert
        self.user = user
        self.amount = amount
        self.settled = settled
    }
}

/// A transfer as a fact tells of it: all of an order, or what earlier versions wrote, which left out the rest.
struct KnownTransfer {
    let id: TransferID
    let direction: Transfer.Direction
    let concert: ConcertID?
    let user: UserID
    let amount: Won?
    let settled: UInt64

    init(_ order: TransferOrder) {
        self.id = order.id
        self.direction = order.direction
        self.concert = order.concert
        self.user = order.user
        self.amount = order.amount
        self.settled = order.settled
    }

    /// Of an earlier version, which named no concert, and no amount of what was refused.
    init(_ id: TransferID, _ direction: Transfer.Direction, of user: UserID, amount: Won? = nil) {
        self.id = id
        self.direction = direction
        self.concert = nil
        self.user = user
        self.amount = amount
        self.settled = 0
    }
}

/// How far a shard has decided the transfers of one slot for another shard.
public struct TransferMark: Equatable, Sendable {
    public let slot: Slot
    /// The highest counter of their ids.
    public let counter: UInt64

    public init(slot: Slot, counter: UInt64) {
        self.slot = slot
        self.counter = counter
    }
}
