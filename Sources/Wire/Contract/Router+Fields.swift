import Booking

/// What several calls read: tokens, ids, numbers, words.
extension Router {
    // MARK: Tokens

    /// For the calls that answer 400, not 401, for a token that is none.
    func passOfPlace(_ request: HTTPRequest) throws -> (Pass, TokenText) {
        let concert = try Self.concert(in: request.query)
        let text = request[.concertToken] ?? .empty
        guard let token = TokenText(text.bytes), let pass = self.tokens.verify(text.bytes), pass.concert == concert,
            self.catalogue.contains(concert)
        else { throw Problem.tokenNotFound(text) }
        return (pass, token)
    }

    func passAndReservations(_ request: HTTPRequest) throws -> (Pass, [ReservationID]) {
        let pass = try self.pass(request)
        let body = try JSONObject(request.body)
        try Self.check(pass, isFor: body)
        return (pass, try Self.ids(in: body, "reservationIds"))
    }

    /// For the calls that only people inside may make: 401 for a token that is none.
    func pass(_ request: HTTPRequest) throws -> Pass {
        guard let text = request[.concertToken], !text.isEmpty else { throw Problem.tokenMissing }
        guard let pass = self.tokens.verify(text.bytes), self.catalogue.contains(pass.concert) else {
            throw Problem.tokenInvalid
        }
        return pass
    }

    static func check(_ pass: Pass, isFor body: JSONObject) throws {
        let concert: ConcertID = try self.id(in: body, "concertId")
        guard pass.concert == concert else { throw Problem.tokenInvalid }
    }

    // MARK: Fields

    /// For calls that ask for nothing else: nearly every query is this one number then, which is read at a glance.
    static func concert(in query: ByteView) throws -> ConcertID {
        if let concert = Self.number(behind: "concertId=", in: query, before: [] as InlineArray<0, UInt8>) {
            return concert
        }
        return try Self.id(in: try QueryParameters(query), "concertId")
    }

    func known(_ concert: ConcertID) throws -> ConcertID {
        guard self.catalogue.contains(concert) else {
            throw Problem(Refusal.unknownConcert, token: "", asksForPlace: false)
        }
        return concert
    }

    func knownConcert(in fields: some NumberFields) throws -> ConcertID {
        try self.known(try Self.id(in: fields, "concertId"))
    }

    /// Whoever is logged in need not be named.
    func user(in fields: some NumberFields) throws -> UserID {
        guard let subject = self.subject else { return try Self.id(in: fields, "userId") }
        return try fields.integerIfPresent("userId").map { try Self.checked($0, "userId") } ?? subject
    }

    static func id<ID: Identifier>(in fields: some NumberFields, _ name: StaticString) throws -> ID {
        try self.checked(try fields.integer(name), name)
    }

    static func ids<ID: Identifier>(in body: JSONObject, _ name: StaticString) throws -> [ID] {
        try body.integers(name, countMax: self.listCountMax).map { try self.checked($0, name) }
    }

    private static func checked<ID: Identifier>(_ number: Int64, _ name: StaticString) throws -> ID {
        guard let id = ID(checking: number) else {
            throw Problem.fieldInvalid(name, "a whole number from 1 to \(IdentifierLimits.max)")
        }
        return id
    }

    /// Any whole number: what is too little or too much is the points' own question, with the contract's own words.
    static func amount(in query: QueryParameters) throws -> Won {
        let bound = Int64(IdentifierLimits.max)
        do throws(InputError) {
            return Won(min(max(try query.integer("amount"), -bound), bound))
        } catch {
            guard error.code == .numberOutOfRange else { throw error }
            return Won(try query.textIfPresent("amount")?.hasPrefix("-") == true ? -bound : bound)
        }
    }

    static func number(
        in query: QueryParameters,
        _ name: StaticString,
        _ range: ClosedRange<UInt32>,
        default standard: UInt32
    ) throws -> UInt32 {
        guard let number = try query.integerIfPresent(name) else { return standard }
        guard let value = UInt32(exactly: number), range.contains(value) else {
            throw Problem.fieldInvalid(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static let wordBytesMax = 16

    static func word<Word: ContractWord>(in query: QueryParameters, _ name: StaticString) throws -> Word? {
        guard let sent = try query.raw(name) else { return nil }
        // The longest word, every letter escaped, has as many bytes: what is longer is none of them.
        guard sent.count <= 3 * Self.wordBytesMax, let text = try query.textIfPresent(name),
            let word = Word.allCases.first(where: { $0.word == text })
        else { throw Problem.fieldInvalid(name, "one of \(Word.allWords.sorted().joined(separator: ", "))") }
        return word
    }

    /// A concert's number that stands where nearly all requests have it; nil where it does not.
    static func number<let count: Int>(
        behind start: StaticString,
        in text: ByteView,
        before ends: InlineArray<count, UInt8>
    ) -> ConcertID? {
        let length = start.utf8CodeUnitCount
        guard text.count > length, text.part(0, length) == start else { return nil }
        var (number, at) = (0 as Int64, length)
        while at < text.count, at < length + 16 {
            let byte = text.byte(at)
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else {
                for index in ends.indices where ends[index] == byte { return ConcertID(checking: number) }
                return nil
            }
            number = number * 10 + Int64(digit)
            at += 1
        }
        return at == text.count ? ConcertID(checking: number) : nil
    }
}

/// Where numbers are read from by name: a query, or a body.
protocol NumberFields {
    func integer(_ name: StaticString) throws(InputError) -> Int64
    /// Nil for what is not there.
    func integerIfPresent(_ name: StaticString) throws(InputError) -> Int64?
}

extension QueryParameters: NumberFields {}
extension JSONObject: NumberFields {}
