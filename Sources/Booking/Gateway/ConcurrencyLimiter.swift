/// Bounds how many requests a gateway has in flight at one shard under overload. Pure: delays and time come in as
/// arguments.
///
///     open ──delay above the target all through the patience──▶ closed: what fits the target
///       ▲                                                          │ with each delay measured anew
///       └──────────────── a second of rest, half empty ────────────┘
///
/// **The delay** is the time of a ping to the shard and back, among the requests: how long work waits for its turn in
/// both processes. Disk latency does not count. The requests in flight when the ping left were done in that time, so
/// `in flight then × target / delay` of them are done in the target's.
///
/// **Refusing** compares two numbers, so excess requests are cheap and never queue. Each answer makes room for one
/// request, so the shard is never idle. **Low priority is refused first**: joins may fill the window, questions a part
/// more than it, bookings yet more. That alone would admit joins while questions are refused, as all come in bursts and
/// the first of a burst find the window empty. So while a priority is refused, each ping halves the room of the lower
/// ones; once it is not, they get it back by sixteenths.
public struct ConcurrencyLimiter: Equatable, Sendable {
    public struct Rules: Equatable, Sendable {
        /// The delay to keep to under overload; zero for no window.
        public var target = Nanoseconds.zero
        /// How long the delay has to exceed the target first: a pause is no overload.
        public var patience = Nanoseconds.milliseconds(100)
        /// The smallest window, whatever the delay; it does not close while fewer requests are in flight.
        public var countMin = 1_000
        /// How far questions, and bookings, may exceed the window, in percent of it.
        public var askingRoomPercent = 50
        public var bookingRoomPercent = 100
        public init() {}
    }

    private static let restTime = Nanoseconds.seconds(1)
    /// The divisor of the window's largest growth with one delay: an eighth.
    private static let growthDivisor = 8
    private static let wholeRoom = 16

    private var rules: Rules
    /// Nil while the window is open.
    public private(set) var size: Int?
    private var pressedSince: Timestamp?
    private var lastBusy = Timestamp.distantPast
    /// The room of each priority, in sixteenths, and whether one was refused since the last delay.
    private var rooms = [Int](repeating: Self.wholeRoom, count: RequestPriority.allCases.count)
    private var hasRefused = [Bool](repeating: false, count: RequestPriority.allCases.count)
    private var limits = [Int](repeating: .max, count: RequestPriority.allCases.count)

    public init(_ rules: Rules) { self.rules = rules }

    /// Applies new rules. A closed window stays closed, as long as the rules have a window.
    public mutating func use(_ rules: Rules) {
        guard rules != self.rules else { return }
        self.rules = rules
        if rules.target > .zero { self.set(self.size) } else { self.reset() }
    }

    public var isClosed: Bool { self.size != nil }

    /// Whether one more request of `worth` may go to the shard. Records a refusal.
    public mutating func admits(_ priority: RequestPriority, inFlight: Int) -> Bool {
        let index = Int(priority.rawValue)
        guard inFlight >= self.limits[index] else { return true }
        self.hasRefused[index] = true
        return false
    }

    /// Records the delay of a ping, and the requests in flight when it left and now. The delay of a ping that is not
    /// back yet is a lower bound.
    public mutating func recordLatency(
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

    /// The link is lost or new: no delay is known.
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
        // A ping that is not back yet can only shrink the window.
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
        // Only a window that was used up shows that more would fit.
        if inFlightThen >= size - size / 8 { self.grow(size, fits) }
    }

    /// Lower priorities make room for a refused one: never all of it, so that lines go on.
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
