import Booking
import Testing

@testable import Supervisor

@Suite struct SupervisionTests {
    private typealias Script = SupervisionScript

    @Test func `shards start first, then gateways, and then it is up`() {
        var script = Script(shards: 2, gateways: 1)
        script.begin(at: 0)
        script.ready("shard 1", at: 5)
        script.ready("shard 0", at: 6)
        script.ready("gateway 0", at: 9)
        script.ready("gateway 0", at: 10)
        #expect(
            script.lines == [
                "0 start shard 0, start shard 1, wake 30000",
                "5 ready shard 1, wake 30000",
                "6 ready shard 0, start gateway 0, wake 30006",
                "9 ready gateway 0, up",
                "10",
            ]
        )
    }

    @Test func `a first death is followed by a restart at once, further ones by pauses that double`() {
        var script = Script.running()
        script.died("shard 0", at: 1_000)
        script.ready("shard 0", at: 1_010)
        script.died("shard 0", at: 1_020)
        script.tick(at: 1_119)
        script.tick(at: 1_120)
        script.died("shard 0", at: 1_130)
        script.tick(at: 1_330)
        script.died("shard 0", at: 1_340)
        #expect(
            script.lines == [
                "1000 died shard 0 (1, in 0 ms), start shard 0, wake 31000",
                "1010 ready shard 0",
                "1020 died shard 0 (2, in 100 ms), wake 1120",
                "1119 wake 1120",
                "1120 start shard 0, wake 31120",
                "1130 died shard 0 (3, in 200 ms), wake 1330",
                "1330 start shard 0, wake 31330",
                "1340 died shard 0 (4, in 400 ms), wake 1740",
            ]
        )
    }

    @Test func `pauses end at ten seconds`() {
        let pauses = (1...12).map { Supervision.pause(afterDeaths: $0).rawValue / 1_000_000 }
        #expect(pauses == [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000, 10_000])
        #expect(Supervision.pause(afterDeaths: .max) == .seconds(10))
    }

    @Test func `who serves for a second between its deaths is never away for long`() {
        var script = Script.running()
        var time = 1_000
        for _ in 1...6 {
            script.died("shard 1", at: time)
            script.tick(at: time + 400)
            script.ready("shard 1", at: time + 500)
            time += 1_500
        }
        script.died("shard 1", at: time - 1)
        let pauses = script.lines.compactMap { $0.firstMatch(of: /in (\d+) ms/).flatMap { Int($0.output.1) } }
        #expect(pauses == [0, 100, 200, 400, 400, 400, 3_200])
    }

    @Test func `a minute of health gives a clean record, a second less does not`() {
        var script = Script.running()
        script.died("gateway 0", at: 1_000)
        script.ready("gateway 0", at: 1_100)
        script.died("gateway 0", at: 61_099)
        script.tick(at: 61_199)
        script.ready("gateway 0", at: 61_200)
        script.died("gateway 0", at: 121_200)
        #expect(
            script.lines == [
                "1000 died gateway 0 (1, in 0 ms), start gateway 0, wake 31000",
                "1100 ready gateway 0",
                "61099 died gateway 0 (2, in 100 ms), wake 61199",
                "61199 start gateway 0, wake 91199",
                "61200 ready gateway 0",
                "121200 died gateway 0 (1, in 0 ms), start gateway 0, wake 151200",
            ]
        )
    }

    @Test func `a restarted process that does not get ready is killed and counts as dead`() {
        var script = Script.running()
        script.died("shard 1", at: 0)
        script.tick(at: 30_000)
        script.tick(at: 30_001)
        script.died("shard 1", at: 30_002)
        #expect(
            script.lines == [
                "0 died shard 1 (1, in 0 ms), start shard 1, wake 30000",
                "30000 too slow shard 1, kill shard 1",
                "30001",
                "30002 died shard 1 (2, in 100 ms), wake 30102",
            ]
        )
    }

    @Test func `who hangs is killed, and started again like one that died`() {
        var script = Script.running()
        script.hangs("shard 1", at: 1_000)
        script.hangs("shard 1", at: 1_001)
        script.died("shard 1", at: 1_010)
        script.hangs("shard 1", at: 1_020)
        script.ready("shard 1", at: 1_030)
        script.hangs("shard 1", at: 1_500)
        script.died("shard 1", at: 1_510)
        #expect(
            script.lines == [
                "1000 hangs shard 1, kill shard 1",
                "1001",
                "1010 died shard 1 (1, in 0 ms), start shard 1, wake 31010",
                "1020 wake 31010",
                "1030 ready shard 1",
                "1500 hangs shard 1, kill shard 1",
                "1510 died shard 1 (2, in 100 ms), wake 1610",
            ]
        )
    }

    @Test func `who hangs while all stop has the time that a stop gives`() {
        var script = Script.running()
        script.stop(at: 0)
        script.hangs("gateway 0", at: 10)
        script.tick(at: 10_000)
        #expect(
            script.lines.prefix(2) == ["0 stopping, terminate gateway 0, wake 10000", "10 wake 10000"]
                && script.lines[2].hasPrefix("10000 killed gateway 0")
        )
    }

    @Test func `a death during the start stops everything and says who`() {
        var script = Script(shards: 2, gateways: 1)
        script.begin(at: 0)
        script.ready("shard 0", at: 1)
        script.died("shard 1", at: 2)
        script.died("shard 0", at: 3)
        #expect(
            script.lines == [
                "0 start shard 0, start shard 1, wake 30000",
                "1 ready shard 0, wake 30000",
                "2 terminate shard 0, wake 10002",
                "3 over: shard 1 ended with status 1 before the cluster was ready",
            ]
        )
    }

    @Test func `a start that takes too long stops everything and says who`() {
        var script = Script(shards: 1, gateways: 1)
        script.begin(at: 0)
        script.ready("shard 0", at: 100)
        script.tick(at: 30_100)
        script.died("gateway 0", at: 30_200)
        script.died("shard 0", at: 30_300)
        #expect(
            script.lines == [
                "0 start shard 0, wake 30000",
                "100 ready shard 0, start gateway 0, wake 30100",
                "30100 terminate gateway 0, wake 40100",
                "30200 terminate shard 0, wake 40200",
                "30300 over: gateway 0 was not ready after 30 s",
            ]
        )
    }

    @Test func `a stop drains gateways first, then shards`() {
        var script = Script.running()
        script.stop(at: 0)
        script.died("gateway 0", at: 10)
        script.died("shard 1", at: 20)
        script.died("shard 0", at: 30)
        #expect(
            script.lines == [
                "0 stopping, terminate gateway 0, wake 10000",
                "10 terminate shard 0, terminate shard 1, wake 10010",
                "20 wake 10010",
                "30 over",
            ]
        )
    }

    @Test func `who does not end in time is killed, gateways before shards are asked`() {
        var script = Script.running()
        script.stop(at: 0)
        script.tick(at: 10_000)
        script.died("gateway 0", at: 10_001)
        script.died("shard 0", at: 10_002)
        script.tick(at: 20_000)
        script.died("shard 1", at: 20_001)
        #expect(
            script.lines == [
                "0 stopping, terminate gateway 0, wake 10000",
                "10000 killed gateway 0, kill gateway 0, terminate shard 0, terminate shard 1, wake 20000",
                "10001 wake 20000",
                "10002 wake 20000",
                "20000 killed shard 1, kill shard 1",
                "20001 over",
            ]
        )
    }

    @Test func `a second stop kills at once, a third changes nothing`() {
        var script = Script.running()
        script.stop(at: 0)
        script.stop(at: 1)
        script.stop(at: 2)
        for member in ["shard 0", "gateway 0", "shard 1"] { script.died(member, at: 3) }
        #expect(
            script.lines == [
                "0 stopping, terminate gateway 0, wake 10000",
                "1 killed gateway 0, killed shard 0, killed shard 1, "
                    + "kill gateway 0, kill shard 0, kill shard 1",
                "2", "3", "3", "3 over",
            ]
        )
    }

    @Test func `a stop while a process waits for its restart does not restart it`() {
        var script = Script.running()
        for time in [0, 1] { script.died("shard 0", at: time) }
        script.stop(at: 2)
        script.tick(at: 200)
        script.died("gateway 0", at: 201)
        script.died("shard 1", at: 202)
        #expect(
            Array(script.lines.dropFirst(2)) == [
                "2 stopping, terminate gateway 0, wake 10002",
                "200 wake 10002",
                "201 terminate shard 1, wake 10201",
                "202 over",
            ]
        )
    }

    @Test func `a stop during the start is no failure`() {
        var script = Script(shards: 1, gateways: 1)
        script.begin(at: 0)
        script.stop(at: 1)
        script.ready("shard 0", at: 2)
        script.died("shard 0", at: 3)
        #expect(
            script.lines == [
                "0 start shard 0, wake 30000",
                "1 stopping, terminate shard 0, wake 10001",
                "2 ready shard 0, wake 10001",
                "3 over",
            ]
        )
    }
}

/// Plays events into a machine, times in milliseconds, and writes down what it answers, a line for each.
struct SupervisionScript {
    private(set) var machine: Supervision
    var lines: [String] = []

    init(shards: Int, gateways: Int) {
        self.machine = Supervision(shards: shards, gateways: gateways, timing: Supervision.Timing())
    }

    /// Two shards and a gateway, ready since long.
    static func running(gateways: Int = 1) -> SupervisionScript {
        var script = SupervisionScript(shards: 2, gateways: gateways)
        script.begin(at: -1_000)
        for member in ["shard 0", "shard 1"] + (0..<gateways).map({ "gateway \($0)" }) {
            script.ready(member, at: -900)
        }
        script.lines = []
        return script
    }

    mutating func begin(at time: Int) { self.note(time, self.machine.begin(at: Self.moment(time))) }
    mutating func ready(_ name: String, at time: Int) {
        self.note(time, self.machine.ready(Self.member(name), at: Self.moment(time)))
    }
    mutating func died(_ name: String, at time: Int) {
        self.note(time, self.machine.died(Self.member(name), how: "ended with status 1", at: Self.moment(time)))
    }
    mutating func hangs(_ name: String, at time: Int) {
        self.note(time, self.machine.hangs(Self.member(name), at: Self.moment(time)))
    }
    mutating func stop(at time: Int) { self.note(time, self.machine.stop(at: Self.moment(time))) }
    mutating func roll(_ roles: Set<Supervision.Role> = [.gateway, .shard], at time: Int) {
        self.note(time, self.machine.roll(roles, at: Self.moment(time)))
    }
    mutating func tick(at time: Int) { self.note(time, self.machine.tick(at: Self.moment(time))) }

    private mutating func note(_ time: Int, _ effects: Supervision.Effects) {
        var words: [String] = effects.notes.map {
            switch $0 {
            case .ready(let member): "ready \(Self.name(member))"
            case .died(let member, _, let deaths, let pause):
                "died \(Self.name(member)) (\(deaths), in \(pause.rawValue / 1_000_000) ms)"
            case .tooSlow(let member): "too slow \(member)"
            case .hangs(let member): "hangs \(Self.name(member))"
            case .stopping: "stopping"
            case .killed(let member): "killed \(Self.name(member))"
            case .tookOver(let member, let former): "\(Self.name(member)) for \(Self.name(former))"
            case .goesBack(let member, let why): "back to \(Self.name(member)) (\(why))"
            }
        }
        words += effects.signals.map { "\($0.signal) \(Self.name($0.member))" }
        words += effects.start.map { "start \(Self.name($0))" }
        if effects.isUp { words.append("up") }
        switch effects.rolling {
        case .done: words.append("rolled")
        case .failed(let why): words.append("not rolled: \(why)")
        case nil: break
        }
        switch effects.outcome {
        case .some(.stopped): words.append("over")
        case .some(.failed(let reason)): words.append("over: \(reason)")
        case nil: break
        }
        if let wakeAt = effects.wakeAt { words.append("wake \(wakeAt.nanoseconds / 1_000_000)") }
        self.lines.append(words.isEmpty ? "\(time)" : "\(time) " + words.joined(separator: ", "))
    }

    private static func moment(_ milliseconds: Int) -> Timestamp {
        Timestamp(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    /// `shard 0`, and `shard 0/2` where its generation is 2.
    private static func name(_ member: Supervision.Member) -> String {
        member.generation == 0 ? "\(member)" : "\(member)/\(member.generation)"
    }

    private static func member(_ name: String) -> Supervision.Member {
        let words = name.split { $0 == " " || $0 == "/" }
        return Supervision.Member(
            role: words[0] == "shard" ? .shard : .gateway,
            index: Int(words[1])!,
            generation: words.count > 2 ? Int(words[2])! : 0
        )
    }
}
