/// The verbs of points. What payments and cancellations do with them is in `Shard+Transfers.swift`.
extension Shard {
    mutating func charge(_ user: UserID, _ amount: Won, _ type: PaymentType) -> Reply {
        guard amount > .zero else { return .refused(.chargeNotPositive) }
        guard amount <= Points.chargeMax else { return .refused(.chargeTooLarge) }
        guard self.points.balance(of: user).balance + amount <= Points.balanceMax else {
            return .refused(.balanceTooLarge)
        }
        self.record(.charged(user, self.nextHistoryID(user), amount, type, at: self.now))
        return self.change(of: user, amount, .charge, type)
    }

    mutating func use(_ user: UserID, _ amount: Won) -> Reply {
        guard amount > .zero else { return .refused(.useNotPositive) }
        guard self.points.balance(of: user).balance >= amount else { return .refused(.insufficientPoints) }
        self.record(.used(user, self.nextHistoryID(user), amount, at: self.now))
        return self.change(of: user, amount, .use, .free)
    }

    func nextHistoryID(_ user: UserID) -> PointHistoryID { PointHistoryID(self.nextID(in: Slot(of: user))) }

    private func change(of user: UserID, _ amount: Won, _ type: TransactionType, _ paymentType: PaymentType) -> Reply {
        let balance = self.points.balance(of: user).balance
        return .points(
            PointsChange(amount: amount, balance: balance, type: type, paymentType: paymentType, at: self.now)
        )
    }
}
