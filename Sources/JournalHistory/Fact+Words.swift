import Booking
import Wire

// A fact in words, for people and other systems: published names and meanings never change.

extension Fact {
    /// One line of JSON: the fact's number, time, event, and the people and seats it concerns. `at` is UTC to the
    /// nanosecond; money is in won.
    func line(sequence: UInt64) -> String {
        var json = OutputBytes()
        json.openObject()
        json.member("fact", sequence)
        json.member("at", self.at.words)
        switch self {
        case .joined(let concert, let user, let place, _):
            json.member("what", "joined")
            json.member("concert", concert.rawValue)
            json.member("user", user.rawValue)
            json.member("place", place.rawValue)
        case .admitted(let concert, let place, _): json.write("admitted", concert, place)
        case .left(let concert, let place, _): json.write("left", concert, place)
        case .lapsed(let concert, let place, _): json.write("lapsed", concert, place)
        case .held(let concert, let reservation):
            json.member("what", "held")
            json.member("concert", concert.rawValue)
            json.member("reservation", reservation.id.rawValue)
            json.member("user", reservation.user.rawValue)
            json.member("schedule", reservation.schedule.rawValue)
            json.member("seat", reservation.seat.rawValue)
            json.member("price", reservation.price.rawValue)
            if let grade = reservation.grade { json.member("grade", grade) }
            json.member("until", reservation.until.words)
        case .released(let concert, let reservation, let reason, _):
            json.member("what", "released")
            json.member("concert", concert.rawValue)
            json.member("reservation", reservation.rawValue)
            json.member("reason", reason.words)
        case .paymentStarted(let order):
            json.member("what", "paymentStarted")
            json.member("payment", order.id.rawValue)
            json.member("concert", order.concert.rawValue)
            json.member("user", order.user.rawValue)
            json.member("place", order.place.rawValue)
            json.member("amount", order.amount.rawValue)
            json.write(order.reservations)
        case .paymentDone(let concert, let payment, let balance, _):
            json.member("what", "paymentDone")
            json.member("concert", concert.rawValue)
            json.member("payment", payment.rawValue)
            json.member("balance", balance.rawValue)
        case .paymentRefused(let concert, let payment, _):
            json.member("what", "paymentRefused")
            json.member("concert", concert.rawValue)
            json.member("payment", payment.rawValue)
        case .cancelStarted(let order):
            json.member("what", "cancelStarted")
            json.member("cancellation", order.id.rawValue)
            json.member("concert", order.concert.rawValue)
            json.member("user", order.user.rawValue)
            json.member("amount", order.amount.rawValue)
            json.write(order.reservations)
        case .cancelDone(let concert, let cancellation, let balance, _):
            json.member("what", "cancelDone")
            json.member("concert", concert.rawValue)
            json.member("cancellation", cancellation.rawValue)
            json.member("balance", balance.rawValue)
        case .charged(let user, let id, let amount, let type, _):
            json.write("charged", user, id, amount)
            json.member("paymentType", type.words)
        case .used(let user, let id, let amount, _): json.write("used", user, id, amount)
        case .debited(let user, let id, let payment, let amount, _):
            json.write("debited", user, id, amount)
            json.member("payment", payment.rawValue)
        case .debitRefused(let user, let payment, _):
            json.member("what", "debitRefused")
            json.member("user", user.rawValue)
            json.member("payment", payment.rawValue)
        case .credited(let user, let id, let cancellation, let amount, _):
            json.write("credited", user, id, amount)
            json.member("cancellation", cancellation.rawValue)
        case .cancelRefused(let concert, let cancellation, _):
            json.member("what", "cancelRefused")
            json.member("concert", concert.rawValue)
            json.member("cancellation", cancellation.rawValue)
        case .transferred(let order, let id, _):
            json.write(order.direction == .debit ? "debited" : "credited", order.user, id, order.amount)
            json.write(order)
        case .transferRefused(let order, _):
            json.member("what", "debitRefused")
            json.member("user", order.user.rawValue)
            json.member("amount", order.amount.rawValue)
            json.write(order)
        case .idsSkipped(let count, _):
            json.member("what", "idsSkipped")
            json.member("count", count)
        case .answered(let answer):
            json.member("what", "answered")
            json.member("operation", "\(answer.operation.id)")
            json.member("by", answer.operation.owner == .client ? "key" : "gateway")
            if let address = answer.operation.address { json.member("address", "\(address)") }
            json.member("outcome", answer.outcome.words)
        }
        json.closeObject()
        return json.view.text
    }
}

extension OutputBytes {
    fileprivate mutating func write(_ reservations: [ReservationID]) {
        self.member("reservations")
        self.openArray()
        for reservation in reservations {
            self.element()
            self.append(decimal: reservation.rawValue)
        }
        self.closeArray()
    }

    fileprivate mutating func write(_ what: String, _ concert: ConcertID, _ place: Place) {
        self.member("what", what)
        self.member("concert", concert.rawValue)
        self.member("place", place.rawValue)
    }

    fileprivate mutating func write(_ order: TransferOrder) {
        self.member(order.direction == .debit ? "payment" : "cancellation", order.id.rawValue)
        self.member("concert", order.concert.rawValue)
    }

    fileprivate mutating func write(_ what: String, _ user: UserID, _ id: PointHistoryID, _ amount: Won) {
        self.member("what", what)
        self.member("user", user.rawValue)
        self.member("historyLine", id.rawValue)
        self.member("amount", amount.rawValue)
    }
}

extension StoredAnswer.Outcome {
    fileprivate var words: String {
        switch self {
        case .joined: "joined"
        case .left: "left"
        case .held: "held"
        case .released: "released"
        case .paying: "paying"
        case .points: "points"
        case .cancelling: "cancelling"
        case .claimed: "claimed"
        case .refused(let refusal): "refused: \(refusal)"
        }
    }
}

extension ReleaseReason {
    fileprivate var words: String {
        switch self {
        case .lapsed: "lapsed"
        case .released: "released"
        case .ownerGone: "ownerGone"
        }
    }
}

extension PaymentType {
    fileprivate var words: String {
        switch self {
        case .free: "FREE"
        case .naverPay: "NAVER_PAY"
        case .kakaoPay: "KAKAO_PAY"
        }
    }
}
