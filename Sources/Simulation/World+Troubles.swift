import Booking
import Seeded

/// What goes wrong.
extension World {
    func carryOut(_ trouble: Plan.Trouble) {
        self.disturb(until: self.now)
        switch trouble {
        case .shardCrash: self.crash(self.anyShard(), "is killed")
        case .gatewayCrash: if let gateway = self.anyGateway() { self.crash(gateway, "is killed") }
        case .linkCut: if !self.links.isEmpty { self.cut(self.random.pick(self.links)) }
        case .partition:
            guard !self.links.isEmpty else { return }
            let link = self.random.pick(self.links)
            self.block(from: link.dialler.process, to: link.shard, for: self.span(100...3_000))
            self.cut(link)
        case .clockJump:
            let host = self.shards[self.random.below(self.shards.count)]
            let jump = self.random.within(self.random.once(in: 4) ? -5_000...60_000 : -200...400)
            // Sometimes somebody notices, and sets it right.
            let isSetRight = self.random.once(in: 4)
            host.clock.skew = isSetRight ? .zero : Nanoseconds(host.clock.skew.rawValue + Int64(jump) * 1_000_000)
            self.trace.add(.note(host.process, "has another time now"), at: self.now)
        case .clockAbsurd:
            let host = self.shards[self.random.below(self.shards.count)]
            guard host.clock.absurdity == .zero else { return }
            // Now and then the clock was wrong before, and an operator says so. Not ten years: the plays would all be over.
            let isTrusted = self.random.once(in: 12)
            let most = isTrusted ? 100_000_000 : 315_360_000_000
            host.clock.absurdity = .milliseconds(Int64(self.random.within(90_000_000...most)))
            self.trace.add(.note(host.process, "has an absurd time now"), at: self.now)
            self.add(.clockIsSane(shard: host.index, isTrusted: isTrusted), after: self.span(20...3_000))
        case .diskFull:
            let host = self.shards[self.random.below(self.shards.count)]
            if self.random.once(in: 6) {
                host.journal.disk.isClosed = true
                return self.trace.add(.note(host.process, "is not the owner of its journal any more"), at: self.now)
            }
            host.journal.disk.isFull = true
            self.trace.add(.note(host.process, "has a full disk"), at: self.now)
            // Sometimes for so long that a shard which dies of something else starts on it.
            let dies = self.random.once(in: 5)
            if dies { self.crash(host.process, "is killed") }
            self.add(.diskHasRoom(shard: host.index), after: self.span(dies ? 500...4_000 : 20...1_500))
        case .bitFlip:
            let host = self.shards[self.random.below(self.shards.count)]
            guard host.isUp else { return }
            host.journal.disk.flip(&self.random)
            self.crash(host.process, "is killed, and a bit of its disk has changed")
        case .slowDisk:
            let host = self.shards[self.random.below(self.shards.count)]
            self.slowDown(host.index, for: self.span(50...2_000))
            self.trace.add(.note(host.process, "has a slow disk"), at: self.now)
        case .freeze:
            let process = self.random.once(in: 3) ? self.anyGateway() ?? self.anyShard() : self.anyShard()
            self.freeze(process, for: self.span(20...2_500))
            self.trace.add(.note(process, "is frozen"), at: self.now)
        case .diskPutBack:
            if self.random.once(in: 3) { return self.copyDisks() }
            let isNoticed = self.random.once(in: 2)
            let all = self.random.once(in: 3)
            let chosen = self.random.below(self.shards.count)
            for host in self.shards where all || host.index == chosen {
                self.crash(host.process, "is killed")
                guard host.journal.putCopyBack(isNoticed: isNoticed) else { continue }
                self.trace.add(.note(host.process, "gets an older copy of its disk"), at: self.now)
                // Gateways may reach it long before the shards that know better.
                if self.random.once(in: 2) {
                    for other in self.shards.indices where other != host.index {
                        self.block(from: host.process, to: other, for: self.span(500...5_000))
                    }
                }
                self.tally.putBack += 1
            }
        case .slowShard:
            let host = self.shards[self.random.below(self.shards.count)]
            self.burden(host.index, for: self.span(200...4_000), reading: self.span(1...25))
            self.trace.add(.note(host.process, "is slow"), at: self.now)
        case .rollingRestart: self.beginRolling()
        case .shardStop:
            let host = self.shards[self.random.below(self.shards.count)]
            self.trace.add(.note(host.process, "is asked to stop"), at: self.now)
            host.stop()
        case .everythingCrashes:
            for shard in self.shards { self.crash(shard.process, "is killed with all others") }
            for gateway in self.gateways { self.crash(gateway.process, "is killed with all others") }
        }
    }

    /// One after the other, as a copy of the folder does; some stay as old as they are.
    private func copyDisks() {
        for host in self.shards where !self.random.once(in: 4) {
            self.add(.copyDisk(shard: host.index), after: self.span(0...200))
        }
    }

    private func anyGateway() -> Process? {
        let up = self.gateways.filter(\.isUp)
        return up.isEmpty ? nil : self.random.pick(up).process
    }

    private func anyShard() -> Process { .shard(self.random.below(self.shards.count)) }

    private func span(_ milliseconds: ClosedRange<Int>) -> Nanoseconds {
        .milliseconds(Int64(self.random.within(milliseconds)))
    }
}
