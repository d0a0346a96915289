import Testing

@testable import Booking

@Suite struct ShardPointsTests {
    private let stage = Stage()
    private let anna = UserID(1)

    private func change(_ amount: Int64, _ balance: Int64, _ type: TransactionType, _ paymentType: PaymentType) -> Reply
    {
        .points(
            PointsChange(
                amount: Won(amount),
                balance: Won(balance),
                type: type,
                paymentType: paymentType,
                at: self.stage.now
            )
        )
    }

    @Test func `a charge adds and a use takes away`() {
        #expect(self.stage.ask(.charge(self.anna, Won(500), .kakaoPay)) == self.change(500, 500, .charge, .kakaoPay))
        self.stage.pass(.seconds(1))
        #expect(self.stage.ask(.use(self.anna, Won(200))) == self.change(200, 300, .use, .free))
        let balance = Balance(balance: Won(300), updatedAt: self.stage.now)
        #expect(self.stage.ask(.balance(self.anna)) == .balance(balance))
        let slot = Slot(of: self.anna)
        let first = PointHistoryID(SlotIDs.make(slot, counter: 1))
        let second = PointHistoryID(SlotIDs.make(slot, counter: 2))
        #expect(
            self.stage.output().facts == [
                .charged(self.anna, first, Won(500), .kakaoPay, at: Stage.start),
                .used(self.anna, second, Won(200), at: self.stage.now),
            ]
        )
    }

    @Test(
        arguments: [
            (0, .chargeNotPositive), (-1, .chargeNotPositive), (.min, .chargeNotPositive), (2_000_001, .chargeTooLarge),
            (.max, .chargeTooLarge),
        ] as [(Int64, Refusal)]
    )
    func `a charge is more than nothing and at most 2,000,000`(amount: Int64, refusal: Refusal) {
        #expect(self.stage.ask(.charge(self.anna, Won(amount), .free)) == .refused(refusal))
        #expect(self.stage.output() == Stage.Output())
    }

    @Test func `a balance reaches 100,000,000 and no further`() {
        for _ in 0..<50 { self.stage.charge(self.anna, 2_000_000) }
        #expect(self.stage.balance(self.anna) == 100_000_000)
        #expect(self.stage.ask(.charge(self.anna, Won(1), .free)) == .refused(.balanceTooLarge))
        self.stage.ask(.use(self.anna, Won(1)))
        #expect(self.stage.ask(.charge(self.anna, Won(2), .free)) == .refused(.balanceTooLarge))
        #expect(self.stage.ask(.charge(self.anna, Won(1), .free)) == self.change(1, 100_000_000, .charge, .free))
        self.stage.output()
    }

    @Test func `a use is more than nothing and at most all`() {
        self.stage.charge(self.anna, 10)
        for amount: Int64 in [0, -1, .min] {
            #expect(self.stage.ask(.use(self.anna, Won(amount))) == .refused(.useNotPositive))
        }
        for amount: Int64 in [11, .max] {
            #expect(self.stage.ask(.use(self.anna, Won(amount))) == .refused(.insufficientPoints))
        }
        #expect(self.stage.ask(.use(UserID(2), Won(1))) == .refused(.insufficientPoints))
        #expect(self.stage.ask(.use(self.anna, Won(10))) == self.change(10, 0, .use, .free))
    }
}
