/// Why a process could not start: the problem and the remedy.
public struct StartError: Error, Equatable, Sendable, CustomStringConvertible {
    public let problem: String
    public let remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(self.problem); \(self.remedy)" }
}
