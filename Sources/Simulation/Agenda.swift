import Booking

/// A process of the simulated cluster.
enum Process: Equatable, CustomStringConvertible {
    case gateway(Int)
    case shard(Int)

    var description: String {
        switch self {
        case .gateway(let index): "gateway \(index)"
        case .shard(let index): "shard \(index)"
        }
    }
}

/// What happens next in the world. `life` counts the starts of a process: what was meant for an earlier life is void.
enum Event {
    /// The next bytes of a link arrive.
    case arrive(Link, LinkSide)
    /// One side learns that its link is over.
    case linkEnds(Link, LinkSide)
    case dial(Process, shard: Int, life: Int)
    /// A process is through with what it has read.
    case turnEnds(Process, life: Int)
    case tick(Process, life: Int)
    /// A shard's disk has kept, or refused, the batch under way.
    case diskIsDone(shard: Int, life: Int, isKept: Bool)
    case start(Process)
    /// A shard whose disk has refused a batch for good ends.
    case giveUp(shard: Int, life: Int)
    /// A shard whose disk was full looks whether it still is.
    case tryDisk(shard: Int, life: Int)
    case diskHasRoom(shard: Int)
    /// A wall clock that jumped absurdly is set right; or an operator says that it is right, and the shard's time follows.
    case clockIsSane(shard: Int, isTrusted: Bool)
    /// Somebody copies a shard's disk.
    case copyDisk(shard: Int)
    case compact(shard: Int, life: Int)
    /// A fan's request reaches a gateway.
    case request(Attempt)
    /// An answer reaches a fan; nil when the connection broke instead.
    case answer(Attempt, Reply?)
    case fanActs(Int)
    /// A fan has waited long enough.
    case fanLosesPatience(Attempt)
    case fault
    /// The next step of a rolling restart, if it can be made.
    case roll

    /// The process whose turn it is: what it can't do while it is frozen.
    var process: Process? {
        switch self {
        case .arrive(let link, let side), .linkEnds(let link, let side): link[side].process
        case .dial(let process, _, _), .turnEnds(let process, _), .tick(let process, _): process
        case .diskIsDone(let shard, _, _), .giveUp(let shard, _), .tryDisk(let shard, _): .shard(shard)
        case .request(let attempt): .gateway(attempt.gateway)
        case .start, .diskHasRoom, .clockIsSane, .copyDisk, .compact, .answer, .fanActs, .fanLosesPatience, .fault,
            .roll:
            nil
        }
    }
}

/// Events in the order of their time; those of one moment in the order in which they were planned. A binary heap.
struct Agenda {
    private struct Entry {
        let at: Timestamp
        let order: UInt64
        let event: Event

        func comesBefore(_ other: Entry) -> Bool {
            self.at == other.at ? self.order < other.order : self.at < other.at
        }
    }

    private var heap: [Entry] = []
    private var count: UInt64 = 0

    var isEmpty: Bool { self.heap.isEmpty }

    mutating func add(_ event: Event, at time: Timestamp) {
        self.count += 1
        self.heap.append(Entry(at: time, order: self.count, event: event))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child].comesBefore(self.heap[parent]) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (at: Timestamp, event: Event)? {
        guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
        guard !self.heap.isEmpty else { return (first.at, first.event) }
        self.heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < self.heap.count {
                if self.heap[child].comesBefore(self.heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return (first.at, first.event) }
            self.heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
