/// Why a process could not start: what is wrong, and what to do.
public struct StartError: Error, Equatable, Sendable, CustomStringConvertible {
    public let problem: String
    public let remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(self.problem); \(self.remedy)" }
}
