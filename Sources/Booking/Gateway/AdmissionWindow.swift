/// How many requests a gateway may have at one shard while there is more to do than can be done. Pure: delays and time come
/// in as arguments.
///
///     open ──delay above the target all through the patience──▶ closed: what fits the target
///       ▲                                                          │ with each delay measured anew
///       └──────────────── a second of rest, half empty ────────────┘
///
/// **The delay** is what a ping takes to the shard and back, between the requests: the time that both processes' work waits
/// for its turn, and not that of the disk, on which a commit may take long while nothing is too much. What was in flight when
/// the ping left was done in that time, so as much as `in flight then × target / delay` is done in the target's.
///
/// **A request is refused** by a look at two numbers, so what is too much costs little and never queues. Each answer makes
/// room for one request, so the shard is never idle for it. **Of less worth is refused first**: joins fill the window,
/// questions a part more than it, bookings yet more. That alone would let in joins while questions are refused, as all come
/// in bursts and the first of one find the window empty. So whenever something was refused since the last delay, what is
/// worth less has its room halved, and gets it back by sixteenths once nothing was.
public struct AdmissionWindow: Equatable, Sendable {
    public struct Rules: Equatable, Sendable {
        /// The delay that is held once there is too much; zero for no window at all.
        public var target = Nanoseconds.zero
        /// How long the delay has to be above the target first: a pause is no overload.
        public var patience = Nanoseconds.milliseconds(100)
        /// The window is never smaller than this, whatever the delay, and not closed while fewer are in flight.
        public var countMin = 1_000
        /// How many more than the window questions, and bookings, may fill, percent of it.
        public var askingRoomPercent = 50
        public var bookingRoomPercent = 100
        public init() {}
    }

    private static let restTime = Nanoseconds.seconds(1)
    /// By how much the window grows at most with one delay: an eighth.
    private static let growthDivisor = 8
    private static let wholeRoom = 16

    private var rules: Rules
    /// Nil while the window is open.
    public private(set) var size: Int?
    private var pressedSince: Timestamp?
    private var lastBusy = Timestamp.distantPast
    /// How much of its room each worth has, in sixteenths, and whether one was refused since the last delay.
    private var rooms = [Int](repeating: Self.wholeRoom, count: Worth.allCases.count)
    private var hasRefused = [Bool](repeating: false, count: Worth.allCases.count)
    private var limits = [Int](repeating: .max, count: Worth.allCases.count)

    public init(_ rules: Rules) { self.rules = rules }

    /// Goes over to other rules. A window that is closed stays so, as long as there is to be one.
    public mutating func use(_ rules: Rules) {
        guard rules != self.rules else { return }
        self.rules = rules
        if rules.target > .zero { self.set(self.size) } else { self.reset() }
    }

    public var isClosed: Bool { self.size != nil }

    /// Whether one more request of `worth` may go to the shard. Remembers that one might not.
    public mutating func admits(_ worth: Worth, inFlight: Int) -> Bool {
        let index = Int(worth.rawValue)
        guard inFlight >= self.limits[index] else { return true }
        self.hasRefused[index] = true
        return false
    }

    /// Takes in the delay of a ping, and how many requests were in flight when it left and are now. Of one that is not over
    /// yet is known only how long it is at least.
    public mutating func take(
        _ delay: Nanoseconds,
        isOver: Bool = true,
        inFlightThen: Int,
        inFlight: Int,
        at now: Timestamp
    ) {
        guard self.rules.target > .zero else { return }
        if isOver, self.isClosed { self.shareRoom() }
        let fits = Double(inFlightThen) * Double(self.rules.target.rawValue) / Double(max(delay.rawValue, 1))
        if delay > self.rules.target {
            self.press(Int(min(fits, 1e9)), isOver: isOver, inFlight, now)
        } else if isOver {
            self.relieve(Int(min(fits, 1e9)), inFlightThen, inFlight, now)
        }
    }

    /// The link is lost or new: nothing is known about it.
    public mutating func reset() {
        self.pressedSince = nil
        self.set(nil)
    }

    private mutating func press(_ fits: Int, isOver: Bool, _ inFlight: Int, _ now: Timestamp) {
        let since = self.pressedSince ?? now
        self.pressedSince = since
        self.lastBusy = now
        guard let size = self.size else {
            guard now - since >= self.rules.patience, inFlight > self.rules.countMin else { return }
            return self.set(fits)
        }
        // One that is not over tells of the least that has to go.
        if fits < size { self.set(fits) } else if isOver { self.grow(size, fits) }
    }

    private mutating func relieve(_ fits: Int, _ inFlightThen: Int, _ inFlight: Int, _ now: Timestamp) {
        self.pressedSince = nil
        guard let size = self.size else { return }
        if inFlight >= size / 2 {
            self.lastBusy = now
        } else if now - self.lastBusy >= Self.restTime {
            return self.set(nil)
        }
        // Only what was used up shows that more would do.
        if inFlightThen >= size - size / 8 { self.grow(size, fits) }
    }

    /// What is worth less makes room for what was refused: never all of it, so that lines go on.
    private mutating func shareRoom() {
        var isRefused = false
        for index in self.rooms.indices.reversed() {
            self.rooms[index] = isRefused ? max(self.rooms[index] / 2, 1) : min(self.rooms[index] + 1, Self.wholeRoom)
            isRefused = isRefused || self.hasRefused[index]
            self.hasRefused[index] = false
        }
        self.set(self.size)
    }

    private mutating func grow(_ size: Int, _ fits: Int) { self.set(min(fits, size + size / Self.growthDivisor + 1)) }

    private mutating func set(_ size: Int?) {
        guard let size else {
            self.size = nil
            for index in self.limits.indices {
                self.limits[index] = .max
                self.rooms[index] = Self.wholeRoom
                self.hasRefused[index] = false
            }
            return
        }
        let bounded = min(max(size, self.rules.countMin), 1 << 30)
        self.size = bounded
        // Joining, asking, booking.
        for (index, percent) in [0, self.rules.askingRoomPercent, self.rules.bookingRoomPercent].enumerated() {
            self.limits[index] = (bounded + bounded * percent / 100) * self.rooms[index] / Self.wholeRoom
        }
    }
}
