/// Stands for a client's address: the same number at every gateway and after every restart, which does not reveal the
/// address to readers of a journal.
public struct AddressTag: Hashable, Sendable, CustomStringConvertible {
    /// Never 0.
    public let rawValue: UInt64

    /// Nil for 0, which stands for no address.
    public init?(_ rawValue: UInt64) {
        guard rawValue != 0 else { return nil }
        self.rawValue = rawValue
    }

    /// 16 hexadecimal digits.
    public var description: String { OperationID.digits(self.rawValue) }
}

/// A client's idempotency key as a gateway forwards it.
public struct ClientKey: Hashable, Sendable {
    public let operation: OperationID
    /// The address whose limit the key counts towards; nil for authenticated users and for trusted addresses.
    public let address: AddressTag?

    public init(_ operation: OperationID, from address: AddressTag? = nil) {
        self.operation = operation
        self.address = address
    }
}
