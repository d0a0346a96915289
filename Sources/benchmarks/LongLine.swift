import Glibc
import Histogram
import Reactor
import StandardStreams
import Wire

/// Very many people in one line: each joins, polls as late as `Retry-After` says, and is done once admitted.
///
///     joining ──answer──▶ waiting on the wheel ──due──▶ asked ──answer──▶ on the wheel again, or let in
///
/// They share some persistent connections, with many requests in flight on each. A person is 75 bytes: token, place,
/// and a link of the wheel, whose slots are a millisecond each.
///
/// **The check.** Nobody leaves, so `place - order` is the number of people admitted when an answer was made. It must
/// be no less than any answer had shown before the request was sent, and no more than the rate allows by now; the
/// answers of admitted people count as well. So nobody is overtaken, and nobody moves back. On one connection, places
/// are given in the order of the joins.
///
/// Prints a line of JSON each second, and one at the end, for deploy/bench/million.py.
final class LongLine {
    private struct Asked {
        let person: UInt32
        /// Nanoseconds of `Benchmarks.now`; 0 for a join.
        let due: UInt64
        /// The number of people known to be admitted when the request was sent.
        let admittedThen: UInt64
    }

    /// The results of a second, or of the whole run.
    private struct Seen {
        var sent = 0
        var answered = 0
        /// Microseconds from the due time of a poll to its hand-over to the connection, and to its answer.
        var sentLate = OpenLoad.histogram()
        var answeredLate = OpenLoad.histogram()
        /// From the first answer of any person that showed somebody's admission to that person's own answer.
        var noticedLate = OpenLoad.histogram()
    }

    private static let firstUser: UInt64 = 1_000_000_000
    /// Half of what a gateway reads ahead.
    private static let joinsUnderWay = 32
    private static let wheelSlots = 1 << 19
    private static let nobody = UInt32.max
    private static let tick: UInt64 = 1_000_000

    private let people: UInt32
    private let opens: Double
    private let rate: Double
    private let loop: EventLoop
    private var clients: [OpenLoadConnection<Asked>] = []
    private let ticker: LoopTimer
    private let reporter: LoopTimer
    private let start = Benchmarks.now

    // People, by their number.
    private let tokens: UnsafeMutableRawBufferPointer
    private var places: [UInt32]
    private var nextOnSlot: [UInt32]
    /// The first person of each slot; ticks since `start`, modulo the slots.
    private var wheel: [UInt32]
    private var handledTick: UInt64 = 0

    private var asksToJoin: UInt32 = 0
    private var joined: UInt32 = 0
    private var allJoinedAfter = 0.0
    /// The place given last on each connection.
    private var lastPlaces: [UInt64]
    /// People who know of their admission.
    private var done: UInt32 = 0
    /// The number of people known to be admitted, and for each place the time since when, in ticks.
    private var admitted: UInt64 = 0
    private var admittedTick: [UInt32]
    private var shed = 0
    private var wrong = 0
    private var inSecond = Seen()
    private var inAll = Seen()

    private static let pollStart = Array(
        "GET /api/v1/waiting?concertId=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Concert-Token: ".utf8
    )
    private static let pollEnd = Array("\r\n\r\n".utf8)

    /// The concert opens `opens` seconds after 1970, and admits `rate` people a second.
    static func run(port: UInt16, people: UInt32, opens: Double, rate: Double, connections: Int) throws {
        let line = try LongLine(people: people, opens: opens, rate: rate, connections: connections)
        for index in 0..<connections {
            let client = OpenLoadConnection<Asked>(try Connection(on: line.loop, to: .loopback(port: port)))
            client.onAnswer = { [unowned line] in line.answered(index, $0, $1, $2) }
            client.onEnd = { fatalError("the server has closed a connection") }
            line.clients.append(client)
        }
        line.begin()
        line.loop.run()
        line.tell(isLast: true)
        exit(0)
    }

    private init(people: UInt32, opens: Double, rate: Double, connections: Int) throws {
        self.people = people
        self.opens = opens
        self.rate = rate
        self.loop = try EventLoop()
        self.ticker = LoopTimer(on: self.loop)
        self.reporter = LoopTimer(on: self.loop)
        self.tokens = .allocate(byteCount: Int(people) * TokenRing.tokenCount, alignment: 16)
        self.places = Array(repeating: 0, count: Int(people))
        self.nextOnSlot = Array(repeating: Self.nobody, count: Int(people))
        self.wheel = Array(repeating: Self.nobody, count: Self.wheelSlots)
        self.lastPlaces = Array(repeating: 0, count: connections)
        self.admittedTick = Array(repeating: 0, count: Int(people) + 1)
    }

    private func begin() {
        for index in self.clients.indices { for _ in 0..<Self.joinsUnderWay { self.join(on: index) } }
        self.ticker.start(afterMilliseconds: 1, everyMilliseconds: 1) { [unowned self] in self.askDue() }
        self.reporter.start(afterMilliseconds: 1_000, everyMilliseconds: 1_000) { [unowned self] in
            self.tell(isLast: false)
            self.inSecond = Seen()
        }
    }

    // MARK: Requests

    private func join(on index: Int) {
        guard self.asksToJoin < self.people else { return }
        let person = self.asksToJoin
        self.asksToJoin += 1
        let body = #"{"concertId":1,"userId":\#(Self.firstUser + UInt64(person))}"#
        let request =
            "POST /api/v1/waiting HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        self.clients[index].send(Array(request.utf8), Asked(person: person, due: 0, admittedThen: self.admitted))
    }

    private func askDue() {
        let now = Benchmarks.now
        let last = (now - self.start) / Self.tick
        while self.handledTick < last {
            self.handledTick += 1
            let slot = Int(self.handledTick) % Self.wheelSlots
            var person = self.wheel[slot]
            self.wheel[slot] = Self.nobody
            while person != Self.nobody {
                let next = self.nextOnSlot[Int(person)]
                self.ask(person, due: self.start + self.handledTick * Self.tick, at: now)
                person = next
            }
        }
    }

    private func ask(_ person: UInt32, due: UInt64, at now: UInt64) {
        let late = Self.microseconds(now - due)
        self.inSecond.sent += 1
        self.inAll.sent += 1
        self.inSecond.sentLate.record(late)
        self.inAll.sentLate.record(late)
        let (start, end) = (Self.pollStart, Self.pollEnd)
        let first = Int(person) * TokenRing.tokenCount
        let token = UnsafeRawBufferPointer(rebasing: self.tokens[first..<first + TokenRing.tokenCount])
        let size = start.count + token.count + end.count
        let asked = Asked(person: person, due: due, admittedThen: self.admitted)
        self.clients[Int(person) % self.clients.count].send(asked, capacity: size) { room in
            start.withUnsafeBytes { room.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: room[start.count...]).copyMemory(from: token)
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[(start.count + token.count)...])
            end.withUnsafeBytes { rest.copyMemory(from: $0) }
            return size
        }
    }

    /// Puts a person on the wheel, `seconds` from now.
    private func wait(_ person: UInt32, seconds: UInt64, at now: UInt64) {
        let tick = max((now - self.start) / Self.tick + seconds * 1_000, self.handledTick + 1)
        guard tick - self.handledTick < UInt64(Self.wheelSlots) else { fatalError("Retry-After is \(seconds)") }
        let slot = Int(tick) % Self.wheelSlots
        self.nextOnSlot[Int(person)] = self.wheel[slot]
        self.wheel[slot] = person
    }

    // MARK: Answers

    private func answered(_ index: Int, _ asked: Asked, _ status: Int, _ answer: UnsafeRawBufferPointer) {
        let now = Benchmarks.now
        let isJoin = asked.due == 0
        if !isJoin {
            let late = Self.microseconds(now - asked.due)
            self.inSecond.answered += 1
            self.inAll.answered += 1
            self.inSecond.answeredLate.record(late)
            self.inAll.answeredLate.record(late)
        }
        guard status == 200, let order = Self.number(after: "\"remainingWaitingOrder\":", in: answer) else {
            guard status == 503, !isJoin, let pause = Self.number(after: "Retry-After: ", in: answer) else {
                fatalError("a request was answered \(String(decoding: answer, as: UTF8.self))")
            }
            self.shed += 1
            return self.wait(asked.person, seconds: pause, at: now)
        }
        if isJoin { self.recordJoin(index, asked.person, answer, now) }
        self.check(order, of: UInt64(self.places[Int(asked.person)]), asked, now)
        guard order > 0 else { return self.isIn(asked.person, now) }
        guard let pause = Self.number(after: "Retry-After: ", in: answer) else { fatalError("no Retry-After") }
        self.wait(asked.person, seconds: pause, at: now)
    }

    private func recordJoin(_ index: Int, _ person: UInt32, _ answer: UnsafeRawBufferPointer, _ now: UInt64) {
        guard let place = Self.number(after: "\"place\":", in: answer), (1...UInt64(self.people)).contains(place),
            let token = Self.find("\"tokenId\":\"", in: answer), token + TokenRing.tokenCount <= answer.count
        else { fatalError("a join was answered \(String(decoding: answer, as: UTF8.self))") }
        let first = Int(person) * TokenRing.tokenCount
        UnsafeMutableRawBufferPointer(rebasing: self.tokens[first..<first + TokenRing.tokenCount])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: answer[token..<token + TokenRing.tokenCount]))
        if place <= self.lastPlaces[index] { self.found("place \(place) was given after \(self.lastPlaces[index])") }
        self.lastPlaces[index] = place
        self.places[Int(person)] = UInt32(place)
        self.joined += 1
        if self.joined == self.people { self.allJoinedAfter = Double(now - self.start) / 1e9 }
        self.join(on: index)
    }

    private func check(_ order: UInt64, of place: UInt64, _ asked: Asked, _ now: UInt64) {
        guard order <= place else { return self.found("place \(place) has order \(order)") }
        // An answer to an admitted person shows only that admission.
        let admitted = order > 0 ? place - order : max(place, asked.admittedThen)
        if admitted < asked.admittedThen {
            self.found("place \(place) has order \(order), when \(asked.admittedThen) were known to be in")
        }
        let most = max(0, (Self.wall - self.opens) * self.rate + self.rate / 10 + 1)
        if Double(admitted) > most { self.found("\(admitted) are in, and the rate allows \(most)") }
        let known = min(admitted, UInt64(self.people))
        guard known > self.admitted else { return }
        let tick = UInt32((now - self.start) / Self.tick)
        for place in self.admitted + 1...known { self.admittedTick[Int(place)] = tick }
        self.admitted = known
    }

    private func isIn(_ person: UInt32, _ now: UInt64) {
        let since = self.start + UInt64(self.admittedTick[Int(self.places[Int(person)])]) * Self.tick
        let late = Self.microseconds(max(now, since) - since)
        self.inSecond.noticedLate.record(late)
        self.inAll.noticedLate.record(late)
        self.done += 1
        if self.done == self.people { self.loop.stop() }
    }

    private func found(_ problem: String) {
        self.wrong += 1
        guard self.wrong <= 10 else { return }
        let line = Array("long-line: \(problem)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    // MARK: Report

    private func tell(isLast: Bool) {
        let seen = isLast ? self.inAll : self.inSecond
        CommandOutput.line(
            #"{"\#(isLast ? "whole" : "second")":\#(Double(Benchmarks.now - self.start) / 1e9),"wall":\#(Self.wall),"#
                + #""joined":\#(self.joined),"allJoinedAfter":\#(self.allJoinedAfter),"admitted":\#(self.admitted),"#
                + #""done":\#(self.done),"sent":\#(seen.sent),"answered":\#(seen.answered),"shed":\#(self.shed),"#
                + #""wrong":\#(self.wrong),"sentLate":\#(OpenLoad.json(seen.sentLate)),"#
                + #""answeredLate":\#(OpenLoad.json(seen.answeredLate)),"#
                + #""noticedLate":\#(OpenLoad.json(seen.noticedLate))}"#
        )
    }

    private static var wall: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func microseconds(_ nanoseconds: UInt64) -> UInt64 {
        min(max(nanoseconds / 1_000, 1), 60_000_000)
    }

    /// The position behind `name`; nil where it is not in the answer.
    private static func find(_ name: StaticString, in answer: UnsafeRawBufferPointer) -> Int? {
        guard let base = answer.baseAddress else { return nil }
        let (first, size) = (Int32(name.utf8Start.pointee), name.utf8CodeUnitCount)
        var at = 0
        while at + size <= answer.count, let found = memchr(base + at, first, answer.count - size - at + 1) {
            at = UnsafeRawPointer(found) - base
            if memcmp(base + at, name.utf8Start, size) == 0 { return at + size }
            at += 1
        }
        return nil
    }

    private static func number(after name: StaticString, in answer: UnsafeRawBufferPointer) -> UInt64? {
        guard var at = Self.find(name, in: answer) else { return nil }
        var number: UInt64 = 0
        while at < answer.count, (0x30...0x39).contains(answer[at]) {
            number = number * 10 + UInt64(answer[at] - 0x30)
            at += 1
        }
        return number
    }
}
