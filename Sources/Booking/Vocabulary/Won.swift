/// Money: a whole number of won. Prices, amounts and balances are never negative; differences may be.
public struct Won: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static let zero = Won(0)
    public static func < (left: Won, right: Won) -> Bool { left.rawValue < right.rawValue }
    public static func + (left: Won, right: Won) -> Won { Won(left.rawValue + right.rawValue) }
    public static func - (left: Won, right: Won) -> Won { Won(left.rawValue - right.rawValue) }
    public static func += (left: inout Won, right: Won) { left = left + right }
    public static func -= (left: inout Won, right: Won) { left = left - right }
    public var description: String { String(self.rawValue) }
}
