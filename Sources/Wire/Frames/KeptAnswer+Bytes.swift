import Booking

// A kept answer, as a fact and as an item of a snapshot.
//
// An answer to a key that counts towards an address's limit is preceded by that address: u64.
//
//     │ operation u64 high · u64 low │ owner u8 │ fingerprint u64 │ time │ outcome u8 │ fields of the outcome │

extension FrameBytes {
    mutating func append(_ answer: StoredAnswer) {
        self.append(answer.operation.id.high)
        self.append(answer.operation.id.low)
        self.append(answer.operation.owner.rawValue)
        self.append(answer.fingerprint)
        self.append(answer.at)
        self.append(answer.outcome.kind.rawValue)
        switch answer.outcome {
        case .joined(let joined):
            self.append(joined.place)
            self.append(joined.issuedAt)
            self.append(joined.standing)
        case .left, .released, .claimed: break
        case .held(let first): self.append(first)
        case .paying(let payment): self.append(payment)
        case .points(let balance): self.append(balance)
        case .cancelling(let cancellation): self.append(cancellation)
        case .refused(let refusal): self.append(refusal.rawValue)
        }
    }
}

extension FrameReader {
    /// Of a client's key.
    mutating func readAddressTag() throws(WireError) -> AddressTag {
        guard let address = AddressTag(try self.readUInt64()) else { throw WireError("a key counts towards address 0") }
        return address
    }

    /// `address` is the one read before it.
    mutating func readKeptAnswer(from address: AddressTag? = nil) throws(WireError) -> StoredAnswer {
        let id = OperationID(high: try self.readUInt64(), low: try self.readUInt64())
        let owner: Operation.Owner = try self.readCase("owner of an operation")
        guard owner == .client || address == nil else {
            throw WireError("a gateway's operation counts towards an address")
        }
        let fingerprint = try self.readUInt64()
        let at = try self.readTimestamp()
        return StoredAnswer(
            operation: Operation(id, owner, from: address),
            fingerprint: fingerprint,
            outcome: try self.readOutcome(),
            at: at
        )
    }

    private mutating func readOutcome() throws(WireError) -> StoredAnswer.Outcome {
        let kind: StoredAnswer.Outcome.Kind = try self.readCase("outcome of an operation")
        switch kind {
        case .joined:
            let place = try self.readPlace()
            let issuedAt = try self.readTimestamp()
            return .joined(Joined(place: place, issuedAt: issuedAt, standing: try self.readStanding()))
        case .left: return .left
        case .held: return .held(try self.readID())
        case .released: return .released
        case .claimed: return .claimed
        case .paying: return .paying(try self.readID())
        case .points: return .points(balance: try self.readWon())
        case .cancelling: return .cancelling(try self.readID())
        case .refused: return .refused(try self.readRefusal())
        }
    }

    mutating func readRefusal() throws(WireError) -> Refusal {
        guard let refusal = Refusal(rawValue: try self.readUInt16()) else {
            throw WireError("there is no such refusal")
        }
        return refusal
    }
}

extension StoredAnswer.Outcome {
    fileprivate var kind: Kind {
        switch self {
        case .joined: .joined
        case .left: .left
        case .held: .held
        case .released: .released
        case .paying: .paying
        case .points: .points
        case .cancelling: .cancelling
        case .claimed: .claimed
        case .refused: .refused
        }
    }
}
