import Booking

/// What happened lately, and a hash over all that ever happened: two runs of one seed have the same.
public final class Trace {
    enum Entry {
        case asked(Int, Request)
        case decided(shard: Int, Request)
        case answered(Int, Request, Reply)
        case unanswered(Int, Request)
        case durable(shard: Int, Fact)
        case note(Process, StaticString)
    }

    private static let entriesMax = 30

    /// The seed of the run under way, and its steps so far.
    public internal(set) var seed: UInt64 = 0
    public internal(set) var step = 0
    public private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private var entries: [(step: Int, at: Timestamp, entry: Entry)] = []
    private var next = 0

    public init() {}

    func begin(_ seed: UInt64) {
        self.seed = seed
        self.step = 0
        self.hash = 0xcbf2_9ce4_8422_2325
        self.entries.removeAll(keepingCapacity: true)
        self.next = 0
    }

    func mix(_ number: UInt64) { self.hash = (self.hash ^ number) &* 0x100_0000_01b3 &+ (self.hash >> 29) }

    func mix(_ bytes: some Sequence<UInt8>) { for byte in bytes { self.mix(UInt64(byte)) } }

    func add(_ entry: Entry, at time: Timestamp) {
        if self.entries.count < Self.entriesMax {
            self.entries.append((self.step, time, entry))
        } else {
            self.entries[self.next] = (self.step, time, entry)
            self.next = (self.next + 1) % Self.entriesMax
        }
    }

    /// The last 30 things that happened, oldest first, with their step and the milliseconds since the run began.
    public var history: [String] {
        (self.entries[self.next...] + self.entries[..<self.next]).map { step, at, entry in
            let microseconds = (at - SmallWorld.start).rawValue / 1_000
            let fraction = String(microseconds % 1_000)
            let milliseconds = "\(microseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
            return "step \(step)  \(milliseconds) ms  \(Self.words(entry).replacing("Booking.", with: ""))"
        }
    }

    private static func words(_ entry: Entry) -> String {
        switch entry {
        case .asked(let fan, let request): "fan \(fan) asks: \(request)"
        case .decided(let shard, let request): "shard \(shard) decides: \(request)"
        case .answered(let fan, let request, let reply): "fan \(fan) hears: \(reply), having asked \(request)"
        case .unanswered(let fan, let request): "fan \(fan) hears nothing, having asked \(request)"
        case .durable(let shard, let fact): "shard \(shard) has kept: \(fact)"
        case .note(let process, let what): "\(process) \(what)"
        }
    }
}
