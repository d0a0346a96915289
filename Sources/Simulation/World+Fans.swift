import Booking
import Seeded

/// Fans: what they ask, and what they hear.
extension World {
    func fanActs(_ fan: Int) {
        guard self.fans[fan].open == nil, !self.isHealing else { return }
        let up = self.gateways.filter(\.isServing)
        guard !up.isEmpty else { return self.add(.fanActs(fan), after: .milliseconds(50)) }
        let gateway = self.random.pick(up)
        let (request, isForged, key, isEcho) = self.fans[fan].nextQuestion(self.auditor, &self.random)
        let shard = self.auditor.shard(of: request)
        var durable = self.auditor.journals[shard].count
        if case .schedules = request {
            // A gateway may know what was so a moment ago.
            durable = self.auditor.durableCount(of: shard, at: self.now - self.plan.limits.scheduleLifetime)
        }
        let attempt = Attempt(
            fan: fan,
            gateway: gateway.number,
            gatewayLife: gateway.life,
            request: request,
            isForged: isForged,
            key: key,
            // People move from one network to another, and a few come over one that is trusted.
            address: AddressTag(UInt64(self.random.below(SmallWorld.addressCount + 1))),
            isEcho: isEcho,
            sentAt: self.now,
            durableAtStart: durable
        )
        self.fans[fan].open = attempt
        self.trace.add(.asked(fan, request), at: self.now)
        self.auditor.asked(attempt)
        gateway.connect(attempt)
        self.add(.request(attempt), after: self.wireDelay())
        self.add(.fanLosesPatience(attempt), after: .milliseconds(Int64(self.random.within(500...8_000))))
    }

    func request(_ attempt: Attempt) {
        let gateway = self.gateways[attempt.gateway]
        // One that has ended has broken its connections.
        guard gateway.isUp, gateway.life == attempt.gatewayLife else { return }
        gateway.receive(attempt)
    }

    func answer(_ attempt: Attempt, _ heard: Reply?) {
        guard self.fans[attempt.fan].open === attempt else { return }
        guard let heard else { return self.endsUnanswered(attempt) }
        self.trace.add(.answered(attempt.fan, attempt.request, heard), at: self.now)
        let reply = self.auditor.withoutTime(heard)
        self.fans[attempt.fan].open = nil
        self.auditor.hears(reply, to: attempt, at: self.now)
        self.tally.answers += 1
        if attempt.outcome == .acknowledged { self.tally.acknowledged += 1 }
        if attempt.outcome == .heardAgain { self.tally.heardAgain += 1 }
        if reply == .refused(.tooManyKeys) { self.tally.keysRefused += 1 }
        if reply == .refused(.tooManyKeysOfAddress) { self.tally.keysOfAddressRefused += 1 }
        let wait = self.fans[attempt.fan].hears(reply, to: attempt, &self.random)
        self.add(.fanActs(attempt.fan), after: wait.map { .milliseconds(Int64($0)) } ?? self.pause())
    }

    func endsUnanswered(_ attempt: Attempt) {
        self.trace.add(.unanswered(attempt.fan, attempt.request), at: self.now)
        self.fans[attempt.fan].open = nil
        self.auditor.ended(attempt, .unknown)
        self.tally.unanswered += 1
        _ = self.fans[attempt.fan].hears(nil, to: attempt, &self.random)
        self.add(.fanActs(attempt.fan), after: self.pause())
    }
}
