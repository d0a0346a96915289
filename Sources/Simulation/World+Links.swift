import Booking
import Seeded
import Wire

/// Links: dialling, bytes on their way, and cuts.
extension World {
    func dial(_ process: Process, _ shard: Int, _ life: Int) {
        guard self.life(of: process) == life else { return }
        guard self.shards[shard].isUp, !self.shards[shard].isStopping, !self.isBlocked(from: process, to: shard) else {
            switch process {
            case .gateway(let index): self.gateways[index].tryAgain(shard)
            case .shard: self.add(.dial(process, shard: shard, life: life), after: .milliseconds(50))
            }
            return
        }
        self.linkCount += 1
        let link = Link(self.linkCount, from: process, life: life, to: shard, life: self.shards[shard].life)
        self.links.append(link)
        self.shards[shard].accept(link)
        switch process {
        case .gateway(let index): self.gateways[index].dialled(link)
        case .shard(let index): self.shards[index].dialled(link)
        }
    }

    private func life(of process: Process) -> Int {
        switch process {
        case .gateway(let index): self.gateways[index].life
        case .shard(let index): self.shards[index].life
        }
    }

    func sayHello(on link: Link, as role: Hello.Role, _ index: Int) {
        self.say(.hello(self.hello(role, index)), on: link, .dialler)
    }

    private func hello(_ role: Hello.Role, _ index: Int) -> Hello {
        Hello(
            role: role,
            index: UInt16(index),
            shardCount: UInt16(self.slots.shardCount),
            slotMapVersion: self.slots.version
        )
    }

    func say(_ control: Control, on link: Link, _ side: LinkSide, requestID: UInt64 = 0) {
        do {
            try control.encode(into: &link[side].outgoing, requestID: requestID)
        } catch { preconditionFailure("a hello does not fit a frame: \(error)") }
        self.flush(link, side)
    }

    /// What one side has to say goes on its way.
    func flush(_ link: Link, _ side: LinkSide) {
        guard !link[side].outgoing.isEmpty else { return }
        let bytes = link[side].outgoing.array
        link[side].outgoing.removeAll()
        guard let at = link.send(bytes, to: side.other, arrivingAt: self.now + self.wireDelay()) else { return }
        self.agenda.add(.arrive(link, side.other), at: at)
    }

    func arrive(_ link: Link, _ side: LinkSide) {
        let end = link[side]
        guard end.isOpen, var bytes = end.nextArrival() else { return }
        if bytes.count > 1, self.random.once(in: 4) {
            let count = self.random.within(1...bytes.count - 1)
            end.pushBack(Array(bytes[count...]))
            bytes.removeLast(bytes.count - count)
            self.add(.arrive(link, side), after: self.turnTime())
        }
        self.trace.mix(bytes)
        let failure = bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) {
                try end.decoder.feed(bytes) { frame throws(WireError) in try self.receive(frame, link, side) }
            } catch { return error }
            return nil
        }
        if let failure { self.auditor.fail("\(end.process) can't read what came over a link: \(failure)") }
    }

    private func receive(_ frame: Frame, _ link: Link, _ side: LinkSide) throws(WireError) {
        switch frame.category {
        case .control(.pong): break
        case .control(.ping): return self.say(.pong, on: link, side, requestID: frame.header.requestID)
        case .control: return try self.receive(try Control(frame: frame), link, side)
        case .request, .reply, .unknown: break
        }
        switch link[side].process {
        case .gateway(let index): try self.gateways[index].receive(frame, link)
        case .shard(let index): try self.shards[index].receive(frame, link, side)
        }
    }

    private func receive(_ control: Control, _ link: Link, _ side: LinkSide) throws(WireError) {
        switch (control, side) {
        case (.hello(let hello), .acceptor):
            guard hello.shardCount == self.slots.shardCount else { throw WireError("a hello of another cluster") }
            link.acceptor.isUp = true
            self.shards[link.shard].helloCame(hello, over: link)
            self.say(.helloAccepted(self.hello(.shard, link.shard)), on: link, .acceptor)
        case (.helloAccepted, .dialler):
            link.dialler.isUp = true
            switch link.dialler.process {
            case .gateway(let index): self.gateways[index].linkIsUp(link)
            case .shard(let index): self.shards[index].linkIsUp(link)
            }
        default: throw WireError("\(control) where it does not belong")
        }
    }

    func end(_ link: Link, _ side: LinkSide) {
        guard link[side].isOpen else { return }
        self.disturb(until: self.now)
        link[side].isOpen = false
        self.links.removeAll { !$0.dialler.isOpen && !$0.acceptor.isOpen }
        switch link[side].process {
        case .gateway(let index): self.gateways[index].linkEnded(link)
        case .shard(let index): self.shards[index].linkEnded(link, side)
        }
    }

    func cut(_ link: Link) {
        self.trace.add(.note(link.dialler.process, "loses a link"), at: self.now)
        self.tally.cuts += 1
        for side in [LinkSide.dialler, .acceptor] {
            let last = link.cut(side, &self.random)
            let delay = self.random.once(in: 4) ? self.microseconds(0...1_500_000) : self.wireDelay()
            self.agenda.add(.linkEnds(link, side), at: max(last, self.now + delay))
        }
    }
}
