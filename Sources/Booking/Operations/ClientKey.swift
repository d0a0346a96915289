/// Stands for a client's address: the same number at every gateway and after every restart, from which nobody who reads a journal
/// learns the address.
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

/// A client's key as a gateway hands it on.
public struct ClientKey: Hashable, Sendable {
    public let operation: OperationID
    /// The address that its bound counts for; nil where a login proves who the user is, and for addresses that are trusted.
    public let address: AddressTag?

    public init(_ operation: OperationID, from address: AddressTag? = nil) {
        self.operation = operation
        self.address = address
    }
}
