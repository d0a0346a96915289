import Booking
import Seeded
import Wire

/// One of the two sides of a link.
enum LinkSide: Equatable {
    case dialler
    case acceptor
    var other: LinkSide { self == .dialler ? .acceptor : .dialler }
}

/// A connection between two processes: a stream of bytes each way, in order, in pieces of any length.
///
///     dialler ──bytes on their way──▶ acceptor          cut: some of them still arrive, then each side learns of it,
///             ◀──bytes on their way──                        one maybe long before the other
final class Link {
    /// What one side has, and what is on its way to it.
    final class End {
        let process: Process
        /// The process's life that has this end.
        let life: Int
        var decoder = FrameDecoder()
        /// Frames to send at the end of the turn.
        var outgoing = FrameBytes()
        /// The hello is through.
        var isUp = false
        /// The process knows of no end yet.
        var isOpen = true

        fileprivate(set) var arriving: [[UInt8]] = []
        fileprivate var arrived = 0
        fileprivate var isCut = false
        fileprivate var lastArrival = Timestamp.distantPast

        init(_ process: Process, life: Int) {
            self.process = process
            self.life = life
        }

        /// The next piece that was sent; nil when a cut has taken it.
        func nextArrival() -> [UInt8]? {
            guard self.arrived < self.arriving.count else { return nil }
            defer {
                self.arrived += 1
                if self.arrived == self.arriving.count {
                    self.arriving.removeAll(keepingCapacity: true)
                    self.arrived = 0
                }
            }
            return self.arriving[self.arrived]
        }

        /// `rest` arrives before what was sent after it.
        func pushBack(_ rest: [UInt8]) { self.arriving.insert(rest, at: self.arrived) }

        fileprivate var waitingCount: Int { self.arriving.count - self.arrived }

        /// The last `count` pieces never arrive, and maybe not all of the one before.
        fileprivate func lose(_ count: Int, cutting bytes: Int) {
            self.arriving.removeLast(count)
            guard self.waitingCount > 0, bytes > 0 else { return }
            let last = self.arriving.count - 1
            self.arriving[last].removeLast(min(bytes, self.arriving[last].count))
        }
    }

    let number: UInt32
    let shard: Int
    let dialler: End
    let acceptor: End

    init(_ number: UInt32, from dialler: Process, life diallerLife: Int, to shard: Int, life: Int) {
        self.number = number
        self.shard = shard
        self.dialler = End(dialler, life: diallerLife)
        self.acceptor = End(.shard(shard), life: life)
    }

    subscript(side: LinkSide) -> End { side == .dialler ? self.dialler : self.acceptor }

    /// Nothing was cut off.
    var isWhole: Bool { !self.dialler.isCut && !self.acceptor.isCut && self.dialler.isOpen && self.acceptor.isOpen }

    /// When bytes that are sent now arrive: never before those sent earlier. Nil when the link is cut.
    func send(_ bytes: [UInt8], to side: LinkSide, arrivingAt time: Timestamp) -> Timestamp? {
        let end = self[side]
        guard !end.isCut, end.isOpen, !bytes.isEmpty else { return nil }
        end.arriving.append(bytes)
        end.lastArrival = max(end.lastArrival, time)
        return end.lastArrival
    }

    /// Nothing that is sent from now on arrives, and of what is on its way only a start. Gives when that has arrived.
    func cut(_ side: LinkSide, _ random: inout SeededRandom) -> Timestamp {
        let end = self[side]
        guard !end.isCut else { return end.lastArrival }
        end.isCut = true
        end.lose(random.below(end.waitingCount + 1), cutting: random.once(in: 2) ? random.below(40) : 0)
        return end.lastArrival
    }
}
