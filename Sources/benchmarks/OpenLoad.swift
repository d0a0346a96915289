import Glibc
import Histogram
import Reactor
import Seeded
import StandardStreams

/// An open load: requests leave when they are due, whether earlier ones were answered or not, like those of independent
/// people.
///
///     due at t ──▶ written to a connection ──▶ … ──▶ answered at u           its latency is u - t
///
/// **Coordinated omission.** A latency counts from the due time, not from the time of sending: a server that stalls is
/// charged for every request that was due meanwhile. Requests are due at random moments (a Poisson process) from a
/// seed, over persistent connections, in turn, with any number in flight on each.
final class OpenLoad {
    struct Plan {
        var port: UInt16 = 0
        var perSecond = 1_000.0
        var seconds = 5.0
        /// The time before `seconds`, without records.
        var warmUpSeconds = 2.0
        var connections = 64
        /// The weight of each call, of any sum.
        var mix = [Kind: Int]()
        var concerts = 8
        /// People who have joined before, with whose tokens the load polls and reserves.
        var people = 4_000
        var firstUser: UInt64 = 1_000_000_000
        var schedulesPerConcert = 20
        var seatsPerHall = 10_000
        var seed: UInt64 = 1
    }

    enum Kind: String, CaseIterable { case join, poll, reserve, charge }

    /// The results of the requests of one kind.
    struct Outcome {
        var due: UInt64 = 0
        var accepted: UInt64 = 0
        /// Answered 503.
        var shed: UInt64 = 0
        var others: [Int: UInt64] = [:]
        var acceptedLatency = OpenLoad.histogram()
        var shedLatency = OpenLoad.histogram()
    }

    struct Underway {
        let due: UInt64
        let kind: Kind
        let isRecorded: Bool
    }

    /// A histogram of microseconds, up to a minute.
    static func histogram() -> Histogram<UInt64> {
        Histogram<UInt64>(
            lowestDiscernibleValue: 1,
            highestTrackableValue: 60_000_000,
            numberOfSignificantValueDigits: .three
        )
    }

    private let plan: Plan
    private let loop: EventLoop
    private var clients: [OpenLoadConnection<Underway>] = []
    private var templates: OpenLoadRequests
    private var kinds: [Kind] = []
    private var random: SeededRandom
    private var outcomes: [Kind: Outcome] = [:]
    private let timer: LoopTimer
    private var nextDue: Double = 0
    private var recordsFrom: Double = 0
    private var ends: Double = 0
    private var turn = 0
    private var underway = 0
    private var inTime: UInt64 = 0
    /// The time from a request's due time to its hand-over to the connection: a load that is late measures itself.
    private var lateness = OpenLoad.histogram()
    private var cpuSecondsBefore = 0.0
    private var isPrepared = false

    private init(_ plan: Plan) throws {
        self.plan = plan
        self.loop = try EventLoop()
        self.timer = LoopTimer(on: self.loop)
        self.templates = OpenLoadRequests(plan)
        self.random = SeededRandom(seed: plan.seed)
        for (kind, parts) in plan.mix.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            self.kinds += Array(repeating: kind, count: parts)
            self.outcomes[kind] = Outcome()
        }
    }

    /// Runs the load, and prints its results as one line of JSON.
    static func run(_ plan: Plan) throws {
        let load = try OpenLoad(plan)
        for _ in 0..<plan.connections {
            let connection = try Connection(on: load.loop, to: .loopback(port: plan.port))
            let client = OpenLoadConnection<Underway>(connection)
            client.onAnswer = { [unowned load] in load.answered($0, $1, $2) }
            client.onEnd = { fatalError("the server has closed a connection") }
            load.clients.append(client)
        }
        load.join()
        load.loop.run()
        CommandOutput.line(load.report())
        // The process ends here: its connections need no closing one by one.
        exit(0)
    }

    // MARK: Before

    /// Everybody joins, as fast as answers come; then the load begins.
    private func join() {
        for index in 0..<self.plan.people {
            let client = self.clients[index % self.clients.count]
            client.send(
                self.templates.join(self.plan.firstUser + UInt64(index)),
                Underway(due: 0, kind: .join, isRecorded: false)
            )
        }
        self.underway = self.plan.people
    }

    private func begin() {
        self.isPrepared = true
        self.timer.start(afterMilliseconds: 2_000) { [unowned self] in  // everybody is let in by then
            let now = Double(Benchmarks.now)
            self.nextDue = now
            self.recordsFrom = now + self.plan.warmUpSeconds * 1e9
            self.ends = self.recordsFrom + self.plan.seconds * 1e9
            self.cpuSecondsBefore = Self.cpuSeconds
            self.loop.onTurnEnd = { [unowned self] in self.sendDue() }
            self.timer.start(afterMilliseconds: 1, everyMilliseconds: 1) {}
        }
    }

    // MARK: During

    private func sendDue() {
        let now = Double(Benchmarks.now)
        let mean = 1e9 / self.plan.perSecond
        while self.nextDue <= now, self.nextDue < self.ends {
            let kind = self.kinds[Int(self.random.next() % UInt64(self.kinds.count))]
            let isRecorded = self.nextDue >= self.recordsFrom
            if isRecorded {
                self.outcomes[kind]!.due += 1
                self.lateness.record(min(max(UInt64(now - self.nextDue) / 1_000, 1), 60_000_000))
            }
            self.underway += 1
            self.turn = (self.turn + 1) % self.clients.count
            let bytes = self.templates.request(kind, &self.random)
            self.clients[self.turn].send(bytes, Underway(due: UInt64(self.nextDue), kind: kind, isRecorded: isRecorded))
            self.nextDue -= mean * log(self.random.unit())
        }
        // Requests not answered five seconds after the last was due never count as accepted.
        if self.nextDue >= self.ends, self.underway == 0 || now > self.ends + 5e9 { self.loop.stop() }
    }

    private func answered(_ request: Underway, _ status: Int, _ head: UnsafeRawBufferPointer) {
        self.underway -= 1
        guard self.isPrepared else {
            guard status == 200, self.templates.readToken(from: head) else {
                fatalError("a join was answered \(status)")
            }
            if self.underway == 0 { self.begin() }
            return
        }
        guard request.isRecorded else { return }
        let now = Benchmarks.now
        let microseconds = min(max((now - request.due) / 1_000, 1), 60_000_000)
        switch status {
        case 200:
            self.outcomes[request.kind]!.accepted += 1
            self.outcomes[request.kind]!.acceptedLatency.record(microseconds)
            if now <= UInt64(self.ends) { self.inTime += 1 }
        case 503:
            self.outcomes[request.kind]!.shed += 1
            self.outcomes[request.kind]!.shedLatency.record(microseconds)
        default: self.outcomes[request.kind]!.others[status, default: 0] += 1
        }
    }

    // MARK: After

    private static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private func report() -> String {
        var all = Outcome()
        for outcome in self.outcomes.values {
            all.due += outcome.due
            all.accepted += outcome.accepted
            all.shed += outcome.shed
            all.others.merge(outcome.others) { $0 + $1 }
            Self.add(outcome.acceptedLatency, to: &all.acceptedLatency)
            Self.add(outcome.shedLatency, to: &all.shedLatency)
        }
        let kinds = self.outcomes.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\"\($0.key.rawValue)\":\(self.json($0.value))" }
        return
            "{\"seconds\":\(self.plan.seconds),\"perSecond\":\(self.plan.perSecond),\"connections\":\(self.plan.connections),"
            + "\"lateMicroseconds\":\(Self.json(self.lateness)),\"loadCPUSeconds\":\(Self.cpuSeconds - self.cpuSecondsBefore),"
            + "\"inTime\":\(self.inTime),\"all\":\(self.json(all)),\"kinds\":{\(kinds.joined(separator: ","))}}"
    }

    private static func add(_ part: Histogram<UInt64>, to whole: inout Histogram<UInt64>) {
        for value in part.recordedValues() { whole.record(value.value, count: value.count) }
    }

    private func json(_ outcome: Outcome) -> String {
        let others = outcome.others.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        let answered = outcome.accepted + outcome.shed + outcome.others.values.reduce(0, +)
        return "{\"due\":\(outcome.due),\"accepted\":\(outcome.accepted),\"shed\":\(outcome.shed),"
            + "\"others\":{\(others.joined(separator: ","))},\"unanswered\":\(outcome.due - answered),"
            + "\"acceptedMicroseconds\":\(Self.json(outcome.acceptedLatency)),"
            + "\"shedMicroseconds\":\(Self.json(outcome.shedLatency))}"
    }

    static func json(_ latency: Histogram<UInt64>) -> String {
        guard latency.totalCount > 0 else { return "null" }
        let parts = [50.0, 90, 99, 99.9].map {
            "\"p\($0 == 99.9 ? "999" : "\(Int($0))")\":\(latency.valueAtPercentile($0))"
        }
        return "{\(parts.joined(separator: ",")),\"max\":\(latency.max)}"
    }
}
