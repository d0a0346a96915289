import FoundationEssentials
import Glibc
import StandardStreams

/// Measurements of single parts, and the loads and prepared states of the scripts in deploy/bench.
@main enum Benchmarks {
    private static let usage = """
        usage: benchmarks core ROUNDS WAITING_MAX           the time of each operation of the core: lines of JSON
               benchmarks core counted WAITING_MAX          the same for callgrind, with deploy/bench/counting.c
               benchmarks costs ROUNDS | counted            odd requests and their charges, in the same way
               benchmarks memory THING COUNT                bytes each: waiting, held, sold, account
               benchmarks large-shard STATE CATALOGUE       a journal of 1,000,000 waiting, for a cluster of one shard
               benchmarks openload PORT RATE SECONDS WARM_UP CONNECTIONS SEED MIX
                                                            an open load: requests at random moments, independent of
                                                            answers; MIX such as join=6,poll=3,reserve=1
               benchmarks hot-frames SOCKET PID PEOPLE SECONDS LINKS BATCH...
                                                            joins and polls of one concert, as gateways ask that shard
               benchmarks hot-http PORT GATEWAY SHARD PEOPLE SECONDS
                                                            polls of one concert through the gateway of that process
               benchmarks long-line PORT PEOPLE OPENS RATE CONNECTIONS
                                                            people who join concert 1, and poll as Retry-After says until
                                                            they are let in, from OPENS (seconds since 1970) on
        """

    static func main() throws {
        StandardDescriptors.open()
        let words = Array(CommandLine.arguments.dropFirst())
        switch (words.first, words.count) {
        case ("large-shard", 3): try LargeShard.prepare(state: words[1], catalogue: words[2])
        case ("core", 3):
            let isCounting = words[1] == "counted"
            guard let rounds = isCounting ? 2 : Int(words[1]), let most = UInt64(words[2]), (1...33).contains(rounds)
            else {
                fallthrough
            }
            try CoreBenchmark.run(rounds: rounds, isCounting: isCounting, waitingMax: most)
        case ("costs", 2):
            let isCounting = words[1] == "counted"
            guard let rounds = isCounting ? 2 : Int(words[1]), (1...33).contains(rounds) else { fallthrough }
            try CostsBenchmark.run(rounds: rounds, isCounting: isCounting)
        case ("memory", 3):
            guard let count = UInt64(words[2]), count > 0 else { fallthrough }
            try MemoryBenchmark.run(words[1], count: count)
        case ("openload", 8):
            guard let plan = Self.plan(words) else { fallthrough }
            try OpenLoad.run(plan)
        case ("hot-frames", 7...):
            let batches = words[6...].compactMap { Int($0) }
            guard let pid = Int32(words[2]), let people = Int(words[3]), let seconds = Double(words[4]),
                let links = Int(words[5]), links > 0, batches.count == words.count - 6,
                batches.allSatisfy({ $0 > 0 }), people >= batches.count
            else { fallthrough }
            try HotConcert.run(
                socket: words[1],
                pid: pid,
                people: people,
                seconds: seconds,
                links: links,
                batches: batches
            )
        case ("hot-http", 6):
            guard let port = UInt16(words[1]), let gateway = Int32(words[2]), let shard = Int32(words[3]),
                let people = Int(words[4]), let seconds = Double(words[5]), people > 0
            else { fallthrough }
            try HotConcert.run(port: port, gateway: gateway, shard: shard, people: people, seconds: seconds)
        case ("long-line", 6):
            guard let port = UInt16(words[1]), let people = UInt32(words[2]), let opens = Double(words[3]),
                let rate = Double(words[4]), let connections = Int(words[5]), people > 0, rate > 0, connections > 0
            else { fallthrough }
            try LongLine.run(port: port, people: people, opens: opens, rate: rate, connections: connections)
        default:
            CommandOutput.line(Self.usage)
            exit(2)
        }
        CommandOutput.finish()
    }

    private static func plan(_ words: [String]) -> OpenLoad.Plan? {
        var plan = OpenLoad.Plan()
        guard let port = UInt16(words[1]), let rate = Double(words[2]), let seconds = Double(words[3]),
            let warmUp = Double(words[4]), let connections = Int(words[5]), let seed = UInt64(words[6])
        else { return nil }
        for part in words[7].split(separator: ",") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let kind = OpenLoad.Kind(rawValue: String(pair[0])), let parts = Int(pair[1]) else {
                return nil
            }
            plan.mix[kind] = parts
        }
        guard rate > 0, seconds > 0, connections > 0, !plan.mix.isEmpty else { return nil }
        (plan.port, plan.perSecond, plan.seconds, plan.warmUpSeconds) = (port, rate, seconds, warmUp)
        (plan.connections, plan.seed) = (connections, seed)
        // New people in each run against one cluster.
        plan.firstUser += seed * 20_000_000
        return plan
    }

    /// Nanoseconds of a clock that never goes back.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
