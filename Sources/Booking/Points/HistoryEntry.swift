/// One line of a user's point history. `amount` is positive in both directions.
public struct HistoryEntry: Equatable, Sendable {
    public let id: PointHistoryID
    public let amount: Won
    public let type: TransactionType
    public let paymentType: PaymentType
    public let at: Timestamp

    public init(id: PointHistoryID, amount: Won, type: TransactionType, paymentType: PaymentType, at: Timestamp) {
        self.id = id
        self.amount = amount
        self.type = type
        self.paymentType = paymentType
        self.at = at
    }
}
