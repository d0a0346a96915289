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
