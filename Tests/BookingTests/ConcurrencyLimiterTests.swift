import Booking
import Seeded
import Testing

@Suite struct ConcurrencyLimiterTests {
    private static let start = Timestamp(seconds: 1_000)

    private static func rules(countMin: Int = 100) -> ConcurrencyLimiter.Rules {
        var rules = ConcurrencyLimiter.Rules()
        rules.target = .milliseconds(20)
        rules.patience = .milliseconds(100)
        rules.countMin = countMin
        rules.askingRoomPercent = 25
        rules.bookingRoomPercent = 50
        return rules
    }

    /// Closed at 1,000: 2,000 in flight at twice the target, for as long as the patience.
    private func closed() -> (ConcurrencyLimiter, Timestamp) {
        var window = ConcurrencyLimiter(Self.rules())
        for tick in 0...10 as ClosedRange<Int64> {
            let now = Self.start + .milliseconds(10 * tick)
            window.recordLatency(.milliseconds(40), inFlightThen: 2_000, inFlight: 2_000, at: now)
        }
        return (window, Self.start + .milliseconds(100))
    }

    private func admitted(_ window: inout ConcurrencyLimiter, _ inFlight: Int) -> [RequestPriority] {
        RequestPriority.allCases.filter { window.admits($0, inFlight: inFlight) }
    }

    private func expectOpen(_ window: inout ConcurrencyLimiter) {
        #expect(!window.isClosed)
        #expect(self.admitted(&window, 1_000_000) == RequestPriority.allCases)
    }

    @Test func `a delay that passes within the patience closes nothing`() {
        var window = ConcurrencyLimiter(Self.rules())
        func recordLatency(_ delay: Int64, at tick: Int64) {
            let now = Self.start + .milliseconds(10 * tick)
            window.recordLatency(.milliseconds(delay), inFlightThen: 100_000, inFlight: 100_000, at: now)
        }
        for tick in 0..<10 as Range<Int64> {
            recordLatency(500, at: tick)
            #expect(!window.isClosed)
        }
        recordLatency(20, at: 10)
        recordLatency(500, at: 11)
        self.expectOpen(&window)
    }

    @Test func `one that stays closes it at what the target allows`() {
        let (window, _) = self.closed()
        #expect(window.size == 1_000)
    }

    @Test func `what is worth less is refused first`() {
        var (window, _) = self.closed()
        let admitted = [999, 1_000, 1_249, 1_250, 1_499, 1_500].map { self.admitted(&window, $0) }
        let (all, twoOfThem, one) = (
            RequestPriority.allCases, [RequestPriority.asking, .booking], [RequestPriority.booking]
        )
        #expect(admitted == [all, twoOfThem, twoOfThem, one, one, []])
    }

    @Test func `what is worth less makes room while more is refused`() {
        var (window, now) = self.closed()
        func ping() {
            now = now + .milliseconds(10)
            window.recordLatency(.milliseconds(20), inFlightThen: 1_000, inFlight: 1_000, at: now)
        }
        // Questions are refused: joins get half of their room, then less, but never none; questions keep theirs.
        for room in [500, 250, 125, 62, 62] {
            #expect(self.admitted(&window, 1_250) == [.booking])
            ping()
            #expect(self.admitted(&window, room - 1) == RequestPriority.allCases)
            #expect(self.admitted(&window, room) == [.asking, .booking])
        }
        // A booking is refused: questions make room, too.
        #expect(self.admitted(&window, 1_500) == [])
        ping()
        #expect(self.admitted(&window, 624) == [.asking, .booking])
        #expect(self.admitted(&window, 625) == [.booking])
        // Nothing was refused since: all get their room back.
        for _ in 0..<16 { ping() }
        #expect(self.admitted(&window, 999) == RequestPriority.allCases)
        #expect(self.admitted(&window, 1_249) == [.asking, .booking])
    }

    @Test func `other rules count at once, and without a target it opens`() {
        var (window, _) = self.closed()
        var rules = Self.rules()
        rules.askingRoomPercent = 0
        window.use(rules)
        #expect(window.size == 1_000)
        #expect(self.admitted(&window, 1_000) == [.booking])
        rules.countMin = 3_000
        window.use(rules)
        #expect(window.size == 3_000)
        #expect(self.admitted(&window, 2_999) == RequestPriority.allCases)
        rules.target = .zero
        window.use(rules)
        self.expectOpen(&window)
    }

    @Test func `few requests are never too many`() {
        var window = ConcurrencyLimiter(Self.rules(countMin: 1_000))
        for tick in 0..<100 as Range<Int64> {
            window.recordLatency(
                .seconds(5),
                inFlightThen: 1_000,
                inFlight: 1_000,
                at: Self.start + .milliseconds(10 * tick)
            )
        }
        #expect(!window.isClosed)
    }

    @Test func `it follows what was in flight when the ping left`() {
        var (window, now) = self.closed()
        window.recordLatency(.milliseconds(40), inFlightThen: 1_600, inFlight: 900, at: now + .milliseconds(10))
        #expect(window.size == 800)
        window.recordLatency(.seconds(100), inFlightThen: 800, inFlight: 900, at: now + .milliseconds(20))
        #expect(window.size == 100, "never below the least")
    }

    @Test func `it grows while it is full, and opens after a second of rest`() {
        var (window, now) = self.closed()
        window.recordLatency(.milliseconds(10), inFlightThen: 1_000, inFlight: 1_000, at: now + .milliseconds(10))
        #expect(window.size == 1_126)
        // As much as fits: 1,130 in 19 ms are 1,189 in 20.
        window.recordLatency(.milliseconds(19), inFlightThen: 1_130, inFlight: 1_000, at: now + .milliseconds(20))
        #expect(window.size == 1_189)
        window.recordLatency(.milliseconds(10), inFlightThen: 600, inFlight: 600, at: now + .milliseconds(30))
        #expect(window.size == 1_189)
        window.recordLatency(.milliseconds(1), inFlightThen: 10, inFlight: 10, at: now + .milliseconds(1_029))
        #expect(window.isClosed)
        window.recordLatency(.milliseconds(1), inFlightThen: 10, inFlight: 10, at: now + .milliseconds(1_031))
        self.expectOpen(&window)
    }

    @Test func `a delay that is not over is no relief`() {
        var (window, now) = self.closed()
        func recordLatency(_ delay: Int64, at time: Int64) {
            let moment = now + .milliseconds(time)
            window.recordLatency(.milliseconds(delay), isOver: false, inFlightThen: 1_000, inFlight: 1_000, at: moment)
        }
        recordLatency(1, at: 10)
        #expect(window.size == 1_000)
        recordLatency(40, at: 50)
        #expect(window.size == 500)
    }

    @Test func `without a target there is no window`() {
        var window = ConcurrencyLimiter(ConcurrencyLimiter.Rules())
        for tick in 0..<100 as Range<Int64> {
            let now = Self.start + .milliseconds(100 * tick)
            window.recordLatency(.seconds(5), inFlightThen: 100_000, inFlight: 100_000, at: now)
        }
        #expect(!window.isClosed)
    }

    /// A server of 50,000 requests a second with a queue for admitted requests; three times as many are offered.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `at three times the load the server stays busy, and its queue near the target`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var window = ConcurrencyLimiter(Self.rules())
        let step = Nanoseconds.milliseconds(1)
        var (now, queue, served) = (Self.start, 0, 0)
        var ping: (sentAt: Timestamp, ahead: Int, inFlight: Int)?
        var (longest, bookingsRefused) = (0, 0)
        for tick in 0..<5_000 {
            now = now + step
            let isSettled = tick >= 1_000
            for _ in 0..<150 + Int.random(in: -40...40, using: &random) {
                // Two of three are joins, one of ten a booking.
                let part = Int.random(in: 0..<30, using: &random)
                let priority = part < 20 ? RequestPriority.joining : part < 27 ? .asking : .booking
                if window.admits(priority, inFlight: queue) {
                    queue += 1
                } else if priority == .booking, isSettled {
                    bookingsRefused += 1
                }
            }
            let done = min(queue, 50)
            queue -= done
            if isSettled {
                served += done
                longest = max(longest, queue)
            }
            if let sent = ping {
                let (delay, isOver) = (now - sent.sentAt, sent.ahead <= done)
                window.recordLatency(delay, isOver: isOver, inFlightThen: sent.inFlight, inFlight: queue, at: now)
                ping = isOver ? nil : (sent.sentAt, sent.ahead - done, sent.inFlight)
            } else if tick % 5 == 0 {
                ping = (now, queue, queue)
            }
        }
        #expect(served == 4_000 * 50, "seed \(seed)")
        // The target's worth, and the share of questions beyond joins.
        #expect(longest < 1_000 * 3 / 2, "seed \(seed): \(longest)")
        #expect(bookingsRefused == 0, "seed \(seed): \(bookingsRefused)")
    }
}
