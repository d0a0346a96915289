import FoundationEssentials
import Glibc

/// What parts cost by themselves, and the states that the scripts in deploy/bench start from.
@main enum Benchmarks {
    private static let usage = """
        usage: benchmarks journal [FOLDER]                  commits, replay and snapshots, on that folder's disk
               benchmarks replay VISITS ROUNDS              taking facts in, from memory
               benchmarks forge COUNT [PORT PID]            forged tokens: here, or to the gateway of that process
               benchmarks large-shard STATE CATALOGUE       a journal of 1,000,000 waiting, for a cluster of one shard
        """

    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        switch (words.first, words.count) {
        case ("journal", 1): try JournalBenchmark.run(in: "/tmp/usher-benchmark-\(getpid())")
        case ("journal", 2): try JournalBenchmark.run(in: words[1])
        case ("forge", 2):
            guard let count = Int(words[1]), count >= 10_000, count.isMultiple(of: 10_000) else { fallthrough }
            try ForgeBenchmark.run(count: count)
        case ("forge", 4):
            guard let count = Int(words[1]), let port = UInt16(words[2]), let pid = Int32(words[3]), count > 0 else {
                fallthrough
            }
            try ForgeBenchmark.run(count: count, port: port, pid: pid)
        case ("large-shard", 3): try LargeShard.prepare(state: words[1], catalogue: words[2])
        case ("replay", 3):
            guard let visits = Int(words[1]), let rounds = Int(words[2]), visits > 0, rounds > 0 else { fallthrough }
            try ReplayBenchmark.run(visits: visits, rounds: rounds)
        default:
            print(Self.usage)
            exit(2)
        }
    }

    /// Nanoseconds of a clock that never goes back.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
