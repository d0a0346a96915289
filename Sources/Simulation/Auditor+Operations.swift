import Booking

/// Operations: what is sent several times is done once, and answered the same.
extension Auditor {
    /// What was asked under one key.
    struct OperationBook {
        let request: Request
        /// Of the first attempt: no answer is older.
        let durableAtStart: Int
        let sentAt: Timestamp
        /// Of all requests that came under the key.
        var deeds: [Deed]
        /// The answer for good, once somebody has heard it.
        var reply: Reply?
        /// It came to its end after it was answered: what comes again is another operation.
        var isForgotten = false
    }

    /// Whether a reply is the answer for good, and not a request to try again.
    static func isFinal(_ reply: Reply) -> Bool {
        switch reply {
        case .refused(.overloaded), .refused(.unavailable), .refused(.paymentInProgress), .refused(.cancelInProgress),
            .refused(.storageUnavailable), .refused(.clockSuspended), .refused(.keyReused), .refused(.tooManyKeys),
            .refused(.tooManyKeysOfAddress), .refused(.keysFull), .refused(.seatKeptTooLong),
            .refused(.transferConflict):
            false
        default: true
        }
    }

    /// Whether an attempt asks for something that was not asked for before; notes its key.
    func isFirst(_ attempt: Attempt) -> Bool {
        guard let key = attempt.key else { return true }
        if let book = self.operations[key] {
            if attempt.request != book.request { self.operations[key]!.deeds += attempt.deeds }
            return book.isForgotten
        }
        self.operations[key] = OperationBook(
            request: attempt.request,
            durableAtStart: attempt.durableAtStart,
            sentAt: attempt.sentAt,
            deeds: attempt.deeds
        )
        return true
    }

    /// When what an attempt asks for was asked first, and how many facts were durable then.
    func start(of attempt: Attempt) -> (at: Timestamp, durable: Int) {
        guard let book = attempt.key.flatMap({ self.operations[$0] }) else {
            return (attempt.sentAt, attempt.durableAtStart)
        }
        return (book.sentAt, book.durableAtStart)
    }

    /// Checks what only a key, a pause or too much work explains. False when there is nothing more to say about a reply.
    func isFirstAnswer(_ reply: Reply, to attempt: Attempt, at now: Timestamp) -> Bool {
        if reply == .refused(.unavailable) {
            // Schedules come with a question that another fan may have asked earlier.
            if case .schedules = attempt.request {
            } else {
                self.require(
                    now - attempt.sentAt >= self.replyTimeout,
                    "\(attempt.request) was given up after \((now - attempt.sentAt).rawValue / 1_000_000) ms"
                )
            }
            self.ended(attempt, .unknown)
            return false
        }
        guard let key = attempt.key, let book = self.operations[key] else { return true }
        // An attempt before may have done it, or be under way.
        if reply == .refused(.tooManyKeys) {
            self.require(
                self.hasForgottenKeys
                    || self.answered.contains { $0.count { $0.high == key.high } >= self.answerLimits.keysPerUserMax },
                "a key of user \(key.high) was one too many, and no shard keeps \(self.answerLimits.keysPerUserMax)"
            )
        }
        if reply == .refused(.tooManyKeysOfAddress) {
            self.require(
                attempt.address.map { address in
                    self.hasForgottenKeys || self.keyCounts.contains { self.isFull($0, of: address) }
                } ?? false,
                "a key from address \(String(describing: attempt.address)) was one too many, and no shard has many of it"
            )
        }
        guard Self.isFinal(reply) || reply == .refused(.keyReused) else {
            self.ended(attempt, .unknown)
            return false
        }
        guard !book.isForgotten else {
            self.ended(attempt, .unknown)
            return false
        }
        guard let first = book.reply else {
            self.operations[key]!.reply = reply
            return true
        }
        let expected = attempt.request == book.request ? first : .refused(.keyReused)
        let isForgotten: Bool
        if case .refused(let refusal) = reply {
            isForgotten = self.isForgottenAnswer(refusal, to: attempt)
        } else {
            isForgotten = false
        }
        self.require(
            reply == expected || isForgotten,
            "\(attempt.request) came again under key \(key), and was answered \(reply) after \(expected)"
        )
        self.ended(attempt, .heardAgain)
        return false
    }

    /// The keys of one shard, by the address that they count for.
    struct KeyCounts {
        var all = 0
        var ofAddress: [AddressTag: Int] = [:]
    }

    /// Whether a shard with these keys has as many from an address as it may: a sixteenth of what is free, and at least one.
    func isFull(_ counts: KeyCounts, of address: AddressTag) -> Bool {
        let free = self.answerLimits.keyCountMax - counts.all
        return counts.ofAddress[address, default: 0] >= max(1, free / AnswerLimits.addressesPerRoom)
    }

    /// A refusal without the time that it is for, which no key outlasts.
    func withoutTime(_ reply: Reply) -> Reply {
        guard case .refusedFor(let refusal, let seconds) = reply else { return reply }
        self.require(
            (1...86_400).contains(seconds),
            "a key was refused for \(seconds) s, and each is kept for a day"
        )
        return .refused(refusal)
    }

    /// Whether a refusal says that what was done by an earlier sending is forgotten by now.
    func isForgottenAnswer(_ refusal: Refusal, to attempt: Attempt) -> Bool {
        // What a gateway sends again under its own number is any request without a key.
        if let key = attempt.key, !self.answered[self.shard(of: attempt.request)].contains(key) { return false }
        switch (attempt.request, refusal) {
        case (.reserve(let pass, _, _), .holdExpired):
            return self.reservationsByUser[pass.user, default: []].contains { self.mayBeForgotten($0) }
        case (.release(_, let ids), .holdExpired), (.pay(_, let ids), .noSuchReservation),
            (.cancel(_, _, let ids), .noSuchReservation):
            return ids.contains { self.mayBeForgotten($0) }
        default: return false
        }
    }

    /// A shard's time has jumped by more than a key lives, as an operator said that its clock is right: what it has answered
    /// by keys may be done once more.
    func forgetKeys(of shard: Int) {
        self.hasForgottenKeys = true
        self.keyCounts[shard] = KeyCounts()
        for id in self.answered[shard] where self.operations[id] != nil {
            self.answered[shard].remove(id)
            self.operations[id]!.isForgotten = true
            for deed in self.operations[id]!.deeds { self.tallies[deed, default: DeedTally()].asked += 1 }
        }
    }

    /// A fact says that an operation was answered.
    func answered(_ answer: StoredAnswer, on shard: Int) {
        let id = answer.operation.id
        self.require(self.answered[shard].insert(id).inserted, "operation \(id) was carried out twice")
        guard answer.operation.owner == .client else { return }
        if let address = answer.operation.address {
            self.require(
                !self.isFull(self.keyCounts[shard], of: address),
                "key \(id) was taken, and address \(address) has \(self.keyCounts[shard].ofAddress[address, default: 0]) already"
            )
            self.keyCounts[shard].ofAddress[address, default: 0] += 1
        }
        self.keyCounts[shard].all += 1
        self.require(self.operations[id] != nil, "operation \(id) was carried out, and nobody asked for it")
    }

    /// A gateway has sent a request again. Only a join has no number of the gateway's: if the place that it got is gone by
    /// then, it gets another.
    func sentAgain(_ sending: Gateway.Sending) {
        guard case .join(let concert, let user) = sending.request, sending.key == nil else { return }
        self.tallies[.join(concert, user), default: DeedTally()].asked += 1
    }
}
