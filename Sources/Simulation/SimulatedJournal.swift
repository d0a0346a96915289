import Booking
import Node

/// The journal of one shard on its simulated disk: what `JournalSQLite` is to a real one. One thing is under way at a time, and
/// done after a while (`World.diskDelay`).
final class SimulatedJournal {
    private enum Work {
        case append(count: Int, facts: [UInt8])
        case renewal
    }

    var disk = SimulatedDisk()
    private let shard: Int
    private unowned let world: World
    private var work: Work?
    /// The last batch that a full disk refused, until it takes another.
    private var refused: (count: Int, facts: [UInt8])?
    /// A copy of the disk, and how many facts are on it.
    private var copy: (disk: SimulatedDisk, facts: Int)?

    init(of shard: Int, in world: World) {
        self.shard = shard
        self.world = world
    }

    /// Something is under way.
    var isBusy: Bool { self.work != nil }

    // MARK: The state

    /// A shard on which nothing has happened.
    func fresh() -> Shard {
        Shard(
            index: self.shard,
            slots: self.world.slots,
            catalogue: SmallWorld.catalogue,
            answerLimits: self.world.plan.answerLimits,
            recordLimits: self.world.plan.recordLimits,
            transfersKeptMax: self.world.plan.transfersKeptMax,
            hashSeed: self.world.hashSeed
        )
    }

    /// Puts in place of `shard` what the disk says, and gives the last fact; nil for a damaged disk.
    func load(into shard: inout Shard) -> UInt64? {
        let sequence = self.disk.load(into: &shard, self.world.mutant, fresh: { self.fresh() })
        guard let sequence else { return nil }
        if self.disk.isCopy { shard.declareCopy(chance: self.world.random.next()) }
        return sequence
    }

    /// What a compaction does: restores what is durable, writes a snapshot of that, and drops the records before it. False for a
    /// damaged disk.
    func compact() -> Bool {
        guard let bytes = self.disk.compact(self.world.mutant, fresh: { self.fresh() }) else { return false }
        self.world.trace.mix(bytes)
        return true
    }

    // MARK: Writing

    /// A shard that starts becomes the owner; false when that can't be written yet.
    func begin() -> Bool {
        self.disk.isClosed = false
        return self.disk.own()
    }

    func append(_ append: ShardEffects.Append, life: Int) {
        self.disk.begin(first: append.firstSequence, count: append.count, append.bytes)
        self.begin(.append(count: Int(append.count), facts: append.bytes), life)
    }

    func renew(life: Int) { self.begin(.renewal, life) }

    private func begin(_ work: Work, _ life: Int) {
        precondition(self.work == nil, "the disk is asked for two things at once")
        self.work = work
        self.world.add(
            .diskIsDone(shard: self.shard, life: life, isKept: !self.disk.isFull && !self.disk.isClosed),
            after: self.world.diskDelay(of: self.shard)
        )
    }

    /// What is under way is done.
    func finish(isKept: Bool) -> ShardNode.JournalEvent {
        guard let work = self.work.take() else { preconditionFailure("the disk was not asked for anything") }
        switch work {
        case .append(let count, let facts) where isKept:
            self.disk.sync()
            self.world.becameDurable(facts, count: count, of: self.shard)
            return .durable
        case .renewal where isKept:
            self.disk.writeOver()
            self.refused = nil
            return .renewed
        case .append(let count, let facts):
            self.disk.refuse(&self.world.random)
            self.refused = (count, facts)
            return self.disk.isClosed ? .failed : .refused
        case .renewal: return self.disk.isClosed ? .failed : .notRenewed
        }
    }

    // MARK: What goes wrong

    /// The shard is gone, and what it had not written.
    func crash() {
        if self.world.mutant == .diskLies {
            self.disk.loseLast()
        } else if self.disk.crash(&self.world.random) == .whole {
            if case .append(let count, let facts) = self.work {
                self.world.becameDurable(facts, count: count, of: self.shard)
            } else if let refused = self.refused {
                self.world.becameDurable(refused.facts, count: refused.count, of: self.shard)
            }
        }
        self.work = nil
        self.refused = nil
    }

    /// Somebody copies the disk. What is being written is not on the copy.
    func copyDisk() {
        guard !self.disk.isDamaged else { return }
        self.copy = (self.disk.copied, self.world.auditor.journals[self.shard].count)
    }

    /// Somebody puts the copy in place of the disk of a shard that is not up. `isNoticed` is false when its files took the
    /// places of the old ones, so that only the other shards can know. False when there is no copy.
    func putCopyBack(isNoticed: Bool) -> Bool {
        guard let copy = self.copy else { return false }
        self.disk = copy.disk
        self.disk.isCopy = isNoticed
        self.world.auditor.lost(of: self.shard, after: copy.facts, isNoticed: isNoticed)
        return true
    }
}
