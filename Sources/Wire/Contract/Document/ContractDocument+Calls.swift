import Booking

/// What the rows of several calls are made of. Each call's own row stands with the call (`Calls/`).
extension ContractDocument {
    /// All calls, in the order of the table of routes.
    static var calls: [DocumentedCall] { Route.all.map { $0.document($0) } }

    /// What any question to a shard may be refused for, and any change.
    static let question: [Refusal] = [.overloaded, .unavailable]
    static let change: [Refusal] = [.overloaded, .unavailable, .storageUnavailable, .clockSuspended]
    static let transfer: [Refusal] = Self.change + [.transferConflict]
    /// For the calls that only people inside may make.
    static let needsPlace: [Problem] = [.tokenMissing, .tokenInvalid, .tokenNotAdmitted]

    static let tokenParameter = DocumentValue.reference("parameters/ConcertToken")

    static func query(
        _ name: String,
        _ schema: DocumentValue,
        _ example: DocumentValue,
        required: Bool = true
    ) -> DocumentValue {
        ["name": .text(name), "in": "query", "required": .truth(required), "schema": schema, "example": example]
    }

    static var concertQuery: DocumentValue { self.query("concertId", self.id, 1) }
    static var userQuery: DocumentValue { self.query("userId", self.id, 1001) }
}
