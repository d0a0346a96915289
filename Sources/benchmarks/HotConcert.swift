import Booking
import Glibc
import Seeded
import StandardStreams
import Wire

/// One concert under all of the load, which falls on one shard: joins and polls at the shard's limit.
///
///     links as of several gateways ══ frames in batches ══▶ shard, on a core of its own      (`run` with a socket)
///     connections ── pipelined ──▶ gateway ══════════════▶ shard                             (`run` with a port)
///
/// The concert opens in years, so that everybody waits and the right answer is known: the order is the place.
enum HotConcert {
    private static let concert = ConcertID(1)
    private static let firstUser: UInt64 = 1_000_000_000
    private static let connections = 16

    /// Joins of `people` in all, an equal part with each size of batch; then polls of random people among them, for
    /// `seconds` with each. Prints a line of JSON for each.
    static func run(socket path: String, pid: Int32, people: Int, seconds: Double, links count: Int, batches: [Int])
        throws
    {
        let links = try (0..<count).map { try GatewayLink(toPath: path, index: $0) }
        var passes: [Pass?] = Array(repeating: nil, count: people)
        var joined = 0
        for (index, batch) in batches.enumerated() {
            let end = people * (index + 1) / batches.count
            let before = try Reading(pid)
            let first = joined
            try Self.turns(links) { link in
                let count = min(batch, end - joined)
                try link.ask(count) {
                    joined += 1
                    return joined - 1
                } asking: {
                    .join(Self.concert, UserID(Self.firstUser + UInt64($0)))
                }
                return count > 0
            } hear: { (person, reply) throws(WireError) in
                guard case .joined(let one) = reply, one.standing.order == one.place.rawValue else {
                    throw WireError("a join was answered \(reply)")
                }
                let user = UserID(Self.firstUser + UInt64(person))
                passes[person] = Pass(concert: Self.concert, user: user, place: one.place, issuedAt: one.issuedAt)
            }
            try Self.tell("join", batch, links.count, end - first, since: before, pid)
        }
        let known = passes.compactMap(\.self)
        guard Set(known.map(\.place)).count == people else { throw WireError("two people have one place") }
        var random = SeededRandom(seed: 4_711)
        for batch in batches {
            _ = try Self.poll(links, known, batch, seconds: 0.3, &random)
            let before = try Reading(pid)
            let polls = try Self.poll(links, known, batch, seconds: seconds, &random)
            try Self.tell("poll", batch, links.count, polls, since: before, pid)
        }
    }

    /// Polls over HTTP of `people` who join first, for `seconds`; prints two lines of JSON, with the gateway's and the
    /// shard's CPU.
    static func run(port: UInt16, gateway: Int32, shard: Int32, people: Int, seconds: Double) throws {
        let client = try PipelinedClient(port: port, connections: Self.connections)
        var requests: [[UInt8]] = []
        for person in 0..<people {
            let token = try client.join(concert: 1, user: Int(Self.firstUser) + person)
            requests.append(
                Array("GET /api/v1/waiting?concertId=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Concert-Token: ".utf8) + token
                    + Array("\r\n\r\n".utf8)
            )
        }
        var random = SeededRandom(seed: 4_711)
        let (before, beforeOfShard) = (try Reading(gateway), try Reading(shard))
        let until = Benchmarks.now + UInt64(seconds * 1e9)
        var polls = 0
        while Benchmarks.now < until {
            let statuses = try client.send(8_192) { requests[Int(random.next() % UInt64(people))] }
            guard statuses == [200: 8_192] else { throw WireError("polls were answered \(statuses)") }
            polls += 8_192
        }
        try Self.tell("gateway", PipelinedClient.underWay, Self.connections, polls, since: before, gateway)
        try Self.tell("shard", PipelinedClient.underWay, Self.connections, polls, since: beforeOfShard, shard)
    }

    /// Each link has a batch in flight, except the one whose answers are read: the shard never waits for the load.
    private static func turns(
        _ links: [GatewayLink],
        ask: (GatewayLink) throws -> Bool,
        hear: (Int, Reply) throws(WireError) -> Void
    ) throws {
        for link in links { _ = try ask(link) }
        var goesOn = true
        while goesOn {
            goesOn = false
            for link in links {
                try link.hear(hear)
                if try ask(link) { goesOn = true }
            }
        }
        for link in links { try link.hear(hear) }
    }

    private static func poll(
        _ links: [GatewayLink],
        _ passes: [Pass],
        _ batch: Int,
        seconds: Double,
        _ random: inout SeededRandom
    ) throws -> Int {
        let until = Benchmarks.now + UInt64(seconds * 1e9)
        var polls = 0
        try Self.turns(links) { link in
            guard Benchmarks.now < until else { return false }
            try link.ask(batch) {
                Int(random.next() % UInt64(passes.count))
            } asking: {
                .poll(passes[$0])
            }
            polls += batch
            return true
        } hear: { (person, reply) throws(WireError) in
            guard case .standing(let standing) = reply, standing.order == passes[person].place.rawValue else {
                throw WireError("a poll of place \(passes[person].place) was answered \(reply)")
            }
        }
        return polls
    }

    // MARK: Results

    private struct Reading {
        let time = Benchmarks.now
        let own = ProcessCPU.own
        let cpu: UInt64
        init(_ pid: Int32) throws { self.cpu = try ProcessCPU.nanoseconds(of: pid) }
    }

    private static func tell(
        _ kind: String,
        _ batch: Int,
        _ links: Int,
        _ count: Int,
        since before: Reading,
        _ pid: Int32
    ) throws {
        let after = try Reading(pid)
        let elapsed = Double(after.time - before.time)
        let cpu = Double(after.cpu - before.cpu)
        CommandOutput.line(
            #"{"kind":"\#(kind)","batch":\#(batch),"links":\#(links),"count":\#(count),"seconds":\#(elapsed / 1e9),"#
                + #""perSecond":\#(Double(count) / elapsed * 1e9),"cpuMicroseconds":\#(cpu / Double(count) / 1e3),"#
                + #""coreBusy":\#(cpu / elapsed),"#
                + #""clientCPUMicroseconds":\#(Double(after.own - before.own) / Double(count) / 1e3)}"#
        )
    }
}
