import Booking

/// A value that the contract writes as a word: in answers, in queries, and in the document.
protocol ContractWord: CaseIterable {
    var word: String { get }
}

extension ContractWord {
    static var allWords: [String] { self.allCases.map(\.word) }
}

extension SeatStatus: ContractWord {
    var word: String {
        switch self {
        case .available: "AVAILABLE"
        case .held: "HELD"
        case .sold: "SOLD"
        }
    }
}

extension Reservation.Status: ContractWord {
    var word: String {
        switch self {
        case .held: "SUSPEND"
        case .paid: "SUCCESS"
        case .cancelled: "CANCEL"
        }
    }
}

extension TransactionType: ContractWord {
    var word: String {
        switch self {
        case .charge: "CHARGE"
        case .use: "USE"
        }
    }
}

extension PaymentType: ContractWord {
    var word: String {
        switch self {
        case .free: "FREE"
        case .naverPay: "NAVER_PAY"
        case .kakaoPay: "KAKAO_PAY"
        }
    }
}
