/// Bytes from a peer that are no frame, token or value of ours. Closes that connection only.
public struct WireError: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { self.reason }
}
