import Booking

// The values of frames and facts: writing and reading. Reading checks every range, so that later arithmetic can rely on
// it; writing trusts Usher.

extension FrameBytes {
    @inline(__always)
    mutating func append(_ id: some Identifier) { self.append(id.rawValue) }
    @inline(__always)
    mutating func append(_ place: Place) { self.append(place.rawValue) }
    @inline(__always)
    mutating func append(_ won: Won) { self.append(won.rawValue) }
    @inline(__always)
    mutating func append(_ moment: Timestamp) { self.append(moment.nanoseconds) }

    @inline(__always)
    mutating func append(_ pass: Pass) {
        self.append(pass.concert)
        self.append(pass.user)
        self.append(pass.place)
        self.append(pass.issuedAt)
    }

    @inline(__always)
    mutating func append(_ standing: Standing) {
        self.append(standing.order)
        self.append(standing.seconds)
    }

    /// A `u32` count, then 8 bytes each.
    mutating func append(ids: [some Identifier]) {
        self.reserve(4 + ids.count * 8)
        self.append(UInt32(ids.count))
        for id in ids { self.append(id) }
    }

    /// A `u32` count of bytes, then the text in UTF-8.
    mutating func append(text: String) {
        var text = text
        text.withUTF8 {
            self.append(UInt32($0.count))
            self.append(UnsafeRawBufferPointer($0))
        }
    }
}

extension FrameReader {
    @inline(__always)
    mutating func readID<ID: Identifier>() throws(WireError) -> ID {
        let number = try self.readUInt64()
        guard number >= 1, number <= IdentifierLimits.max else { throw WireError("an identifier is out of range") }
        return ID(number)
    }

    /// Places count up from 1, within the bound of identifiers.
    @inline(__always)
    mutating func readPlace() throws(WireError) -> Place {
        let number = try self.readUInt64()
        guard number >= 1, number <= IdentifierLimits.max else { throw WireError("a place is out of range") }
        return Place(number)
    }

    @inline(__always)
    mutating func readTimestamp() throws(WireError) -> Timestamp { Timestamp(nanoseconds: try self.readInt64()) }

    /// Prices, balances, and amounts made by Usher: from 0.
    mutating func readWon() throws(WireError) -> Won {
        let won = try self.readAskedWon()
        guard won >= .zero else { throw WireError("an amount is negative") }
        return won
    }

    /// An amount from a client, which the shard may refuse in its own words: any whole number that JSON can carry. The
    /// bound leaves room for sums.
    mutating func readAskedWon() throws(WireError) -> Won {
        let number = try self.readInt64()
        guard number.magnitude <= IdentifierLimits.max else { throw WireError("an amount is out of range") }
        return Won(number)
    }

    @inline(__always)
    mutating func readPass() throws(WireError) -> Pass {
        // Four numbers, checked together: every poll brings one pass.
        let bytes = try self.readBytes(32)
        let concert = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let user = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let place = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        let issuedAt = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: Int64.self))
        // 0 wraps to the largest number.
        guard max(concert &- 1, user &- 1, place &- 1) < IdentifierLimits.max else {
            throw WireError("a number of a pass is out of range")
        }
        return Pass(
            concert: ConcertID(concert),
            user: UserID(user),
            place: Place(place),
            issuedAt: Timestamp(nanoseconds: issuedAt)
        )
    }

    @inline(__always)
    mutating func readStanding() throws(WireError) -> Standing {
        let order = try self.readUInt64()
        let seconds = try self.readUInt64()
        guard order <= IdentifierLimits.max, seconds <= IdentifierLimits.max else {
            throw WireError("a standing is out of range")
        }
        return Standing(order: order, seconds: seconds)
    }

    mutating func readIDs<ID: Identifier>() throws(WireError) -> [ID] {
        let count = try self.readCount(ofSize: 8)
        var ids: [ID] = []
        ids.reserveCapacity(count)
        for _ in 0..<count { ids.append(try self.readID()) }
        return ids
    }

    /// One byte for a case.
    mutating func readCase<Case: RawRepresentable>(_ name: StaticString) throws(WireError) -> Case
    where Case.RawValue == UInt8 {
        guard let value = Case(rawValue: try self.readUInt8()) else { throw WireError("there is no such \(name)") }
        return value
    }
}
