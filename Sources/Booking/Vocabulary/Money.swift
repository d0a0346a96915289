/// How points were paid for.
public enum PaymentType: UInt8, Sendable, CaseIterable { case free = 0, naverPay = 1, kakaoPay = 2 }

/// Which way points went.
public enum TransactionType: UInt8, Sendable, CaseIterable { case charge = 0, use = 1 }
