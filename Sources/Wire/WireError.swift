/// Bytes from a peer that are not a valid frame, token or value. Closes that connection only.
public struct WireError: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { self.reason }
}
