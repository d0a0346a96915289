import Testing

@testable import Booking

/// Some shards in one process, and the model beside them. Messages between shards wait in queues, one each way, and
/// arrive when the test says: late, twice, or never when a link is cut; in order on each link, in any order otherwise.
///
/// Every action is carried out on both, and their answers are compared at once; a difference is thrown.
final class TestCluster {
    struct Divergence: Error, CustomStringConvertible {
        let description: String
    }

    final class Node {
        var shard: Shard
        /// Everything it ever recorded.
        var facts: [Fact] = []
        init(_ shard: consuming Shard) { self.shard = shard }
    }

    struct Link: Hashable {
        let from: Int
        let to: Int
    }

    enum Message {
        case transfer(TransferOrder)
        case answer(TransferID, Reply)
    }

    let slots: SlotMap
    let catalogue: Catalogue
    let nodes: [Node]
    var model: ClusterModel
    private(set) var queues: [Link: [Message]] = [:]
    private(set) var now = SmallWorld.start
    private var requestCount: UInt64 = 0
    private var checkCount = 0

    init(shardCount: Int, catalogue: Catalogue = SmallWorld.catalogue) {
        let slots = SlotMap(shardCount: shardCount)
        self.slots = slots
        self.catalogue = catalogue
        self.nodes = (0..<shardCount).map {
            Node(Self.fresh($0, slots, catalogue, hashSeed: UInt64($0)))
        }
        self.model = ClusterModel(catalogue) { slots.shard(of: Slot(of: $0)) == slots.shard(of: Slot(of: $1)) }
        for node in self.nodes {
            for other in 0..<shardCount where other != node.shard.index {
                node.shard.hear([], from: other, at: SmallWorld.start)
            }
        }
    }

    /// A shard hears from all others which of its ids they have seen: none that it does not know.
    private func hear(_ index: Int) throws {
        for other in self.nodes.indices where other != index {
            guard case .transfersSeen(let marks) = self.nodes[other].shard.transfersSeen(by: UInt16(index)) else {
                return
            }
            self.nodes[index].shard.hear(marks, from: other, at: self.now)
        }
        try self.compare(self.nodes[index].shard.drainAlerts(), [], "what the operator is told")
    }

    private static func fresh(_ index: Int, _ slots: SlotMap, _ catalogue: Catalogue, hashSeed: UInt64) -> Shard {
        Shard(
            index: index,
            slots: slots,
            catalogue: catalogue,
            recordLimits: SmallWorld.recordLimits,
            hashSeed: hashSeed
        )
    }

    func pass(_ span: Nanoseconds) { self.now = self.now + span }

    func concerts(of shard: Int) -> [ConcertID] {
        self.catalogue.concerts.filter { self.slots.shard(of: $0.slot) == shard }.map(\.id)
    }

    /// Links that have something to deliver, in a fixed order.
    var busyLinks: [Link] {
        self.queues.filter { !$0.value.isEmpty }.keys.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    // MARK: Acts

    /// A client's request, sent to the shard of its slot.
    @discardableResult
    func send(_ request: Request) throws -> Reply? {
        self.requestCount += 1
        let origin = Shard.Origin(link: UInt32(self.requestCount % 3), request: self.requestCount)
        let index = self.slots.shard(of: request.slot)
        let known = Set(self.model.underWay)
        let expected = self.model.answer(request, from: origin, at: self.now)
        let reply = self.nodes[index].shard.decide(request, from: origin, at: self.now)
        try self.compare(self.withTimeOfModel(reply, expected, request), expected, "the answer")
        let begun = self.model.underWay.filter { !known.contains($0) }
        try self.collect(index, transfers: begun, late: [])
        return reply
    }

    func tick() throws {
        for (index, node) in self.nodes.enumerated() {
            let asked = self.model.tick(self.concerts(of: index), at: self.now)
            node.shard.tick(at: self.now)
            try self.collect(index, transfers: asked, late: [])
        }
    }

    /// The first message of a link arrives. `again` leaves it where it is, so that it arrives once more.
    func deliver(_ link: Link, again: Bool = false) throws {
        guard let message = self.queues[link]?.first else { return }
        if !again { self.queues[link]!.removeFirst() }
        switch message {
        case .transfer(let order):
            let origin = Shard.Origin(link: 100 + UInt32(link.from), request: order.id.rawValue)
            let expected = self.model.answer(order.request, from: origin, at: self.now)
            let reply = self.nodes[link.to].shard.decide(order.request, from: origin, at: self.now)
            try self.compare(reply, expected, "the transfer's answer")
            try self.collect(link.to, transfers: [], late: [])
            self.queues[Link(from: link.to, to: link.from), default: []].append(.answer(order.id, reply!))
        case .answer(let transfer, let reply):
            let late = self.model.finish(transfer, reply, at: self.now)
            self.nodes[link.to].shard.completeTransfer(reply, for: transfer, at: self.now)
            try self.collect(link.to, transfers: [], late: late)
        }
    }

    /// Everything between two shards is lost, and the link is up again.
    func cut(_ link: Link) throws {
        for (from, to) in [(link.from, link.to), (link.to, link.from)] {
            self.queues[Link(from: from, to: to)] = []
            let concerts = self.concerts(of: from)
            let asked = self.model.underWay { concert, user in
                concerts.contains(concert) && self.slots.shard(of: Slot(of: user)) == to
            }
            self.nodes[from].shard.linkIsUp(to: to)
            try self.collect(from, transfers: asked, late: [])
        }
    }

    /// A shard dies and restarts from its facts, or from a snapshot before its death: messages on its links and waiting
    /// requests are lost.
    func restart(_ index: Int, fromSnapshot: Bool = false) throws {
        self.nodes[index].shard = fromSnapshot ? try self.restored(index) : self.replayed(index)
        self.nodes[index].shard.resume(at: self.now)
        self.model.restart(self.concerts(of: index), at: self.now)
        try self.hear(index)
        for other in self.nodes.indices where other != index { try self.cut(Link(from: index, to: other)) }
    }

    /// Delivers and ticks until no payment and no cancellation is under way.
    func drain() throws {
        var rounds = 0
        repeat {
            while let link = self.busyLinks.first { try self.deliver(link) }
            self.pass(.milliseconds(500))
            try self.tick()
            rounds += 1
            guard rounds < 10 else { throw Divergence(description: "points are under way for ever") }
        } while !self.model.underWay.isEmpty
    }

    /// A new shard with all the facts of another.
    func replayed(_ index: Int) -> Shard {
        var shard = Self.fresh(index, self.slots, self.catalogue, hashSeed: 0xF0E1_D2C3)
        for fact in self.nodes[index].facts { shard.apply(fact) }
        return shard
    }

    /// A new shard from a snapshot of another.
    func restored(_ index: Int) throws -> Shard {
        let restoration = ShardRestoration { [slots, catalogue] in
            Self.fresh(index, slots, catalogue, hashSeed: 0x0F1E_2D3C)
        }
        for item in Self.items(self.nodes[index].shard) { try restoration.restore(item) }
        return restoration.finish()
    }

    static func items(_ shard: borrowing Shard) -> [SnapshotItem] {
        var items: [SnapshotItem] = []
        shard.forEachItem { items.append($0) }
        return items
    }

    // MARK: Checks

    /// The reply with the model's time left, if the reply's is at least as long, and longer at most by the wait for
    /// room, which the model does not forecast.
    private func withTimeOfModel(_ reply: Reply?, _ expected: Reply?, _ request: Request) -> Reply? {
        func isNear(_ actual: Standing, _ wanted: Standing) -> Bool {
            let concert = self.model.concerts.first { $0.concert.slot == request.slot }
            let slack = actual.order == 0 ? 0 : concert?.slack(for: actual.order) ?? 0
            return actual.order == wanted.order && actual.seconds >= wanted.seconds
                && actual.seconds <= wanted.seconds + slack
        }
        switch (reply, expected) {
        case (.standing(let actual), .standing(let wanted)): return isNear(actual, wanted) ? expected : reply
        case (.joined(let actual), .joined(let wanted)):
            guard isNear(actual.standing, wanted.standing) else { return reply }
            return .joined(Joined(place: actual.place, issuedAt: actual.issuedAt, standing: wanted.standing))
        default: return reply
        }
    }

    private func compare<Value: Equatable>(_ actual: Value, _ expected: Value, _ what: String) throws {
        guard actual != expected else { return }
        throw Divergence(description: "\(what) is \(actual), but should be \(expected)")
    }

    /// Takes a shard's output, and checks everything that must hold after any action.
    private func collect(_ index: Int, transfers expected: [TransferID], late: [Shard.LateReply]) throws {
        let node = self.nodes[index]
        var facts: [Fact] = []
        var transfers: [TransferOrder] = []
        var replies: [Shard.LateReply] = []
        node.shard.drain(
            facts: { facts.append($0) },
            transfers: { transfers.append($0) },
            lateReplies: { replies.append($0) }
        )
        var last = node.facts.last?.at ?? .distantPast
        for fact in facts {
            guard last <= fact.at, fact.at <= self.now else {
                throw Divergence(description: "a fact is out of time: \(fact)")
            }
            last = fact.at
        }
        node.facts += facts
        try self.compare(replies, late, "what is answered late")
        try self.compare(transfers.map(\.id).sorted(), expected, "what is asked of other shards")
        for transfer in transfers {
            let to = self.slots.shard(of: transfer.request.slot)
            self.queues[Link(from: index, to: to), default: []].append(.transfer(transfer))
        }
        self.checkCount += 1
        node.shard.checkInvariants(linesToo: self.checkCount % 16 == 0)
    }

    /// After draining, checks the books of the whole cluster.
    func checkBooks() throws {
        var sold = 0
        var paid = Won.zero
        for state in self.nodes.flatMap({ $0.shard.concertsInOrder }) {
            let free = state.seats.remaining.reduce(0) { $0 + Int($1) }
            let seats = state.seats.soldCount + state.seats.heldCount + free
            try self.compare(seats, state.seats.seatCount, "the number of seats sold, held and free")
            let totals = state.line.totals
            try self.compare(totals.joined, totals.waiting + totals.admitted + totals.gone, "the number who joined")
            try self.compare(totals.joined + 1, state.line.nextPlace.rawValue, "the number of places given")
            sold += state.seats.soldCount
            for reservation in SmallWorld.users.flatMap({ state.seats.reservations(of: $0) }) {
                if reservation.status == .paid { paid += reservation.price }
            }
        }
        let charged = self.nodes.reduce(Won.zero) { $0 + $1.shard.points.charged }
        let left = self.nodes.reduce(Won.zero) { $0 + $1.shard.points.balances + $1.shard.points.used }
        try self.compare(charged, left, "the sum of points charged")
        var kept = Won.zero
        for fact in self.nodes.flatMap(\.facts) {
            switch fact {
            case .transferred(let order, _, _):
                if order.direction == .debit { kept += order.amount } else { kept -= order.amount }
            default: break
            }
        }
        try self.compare(paid, kept, "the price of all seats sold")
        let census = self.nodes.map { $0.shard.pointsCensus }
        try self.compare(census.reduce(Won.zero) { $0 + $1.debited - $1.credited }, kept, "what the shards count of it")
        let takings = self.nodes.flatMap { $0.shard.concertCensus }.reduce(Won.zero) { $0 + $1.takings }
        try self.compare(takings, paid, "what the seats sold cost")
        let done = self.model.payments.filter { if case .done = $0.fate { true } else { false } }
        let cancelled = self.model.cancellations.reduce(0) { $0 + $1.reservations.count }
        let bought = done.reduce(0) { $0 + $1.reservations.count }
        try self.compare(bought - cancelled, sold, "the number of seats sold by payments, and not cancelled")
    }
}
