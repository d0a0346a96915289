import Glibc
import RequestCosts
import Testing

/// The cost of odd requests compared with a poll, by the CPU time of this thread, which other processes hardly affect,
/// the least of several tries. `make bench-costs` counts the same in instructions, of a release build, with a tighter
/// bound.
@Suite struct RequestCostsTests {
    /// Polls that a request may cost for each that it is charged as. In a debug build loops over bytes cost relatively
    /// more than in a release build, where it is 10.
    private static let pollsMax = 100.0
    private static let triesMax = 12

    @Test func `nothing that a stranger sends costs much more than what it is charged as`() throws {
        let path = try RequestPath()
        let poll = OddRequest.plain(token: path.token)
        for _ in 0..<20 { _ = path.charged(for: poll) }
        let plain = (0..<20).map { _ in Self.cost { for _ in 0..<10 { _ = path.charged(for: poll) } } / 10 }.min()!
        let all = OddRequest.all(token: path.token)
        #expect(all.count > 1_500)
        #expect(Set(all.map(\.name)).count == all.count)
        for request in all {
            var least = Double.infinity
            var charged = 1
            for _ in 0..<Self.triesMax where least > Self.pollsMax {
                least = min(least, Self.cost { charged = path.charged(for: request) } / plain / Double(charged))
            }
            #expect(
                least <= Self.pollsMax,
                "\(request): \(least) polls for each of the \(charged) that it is charged as"
            )
        }
    }

    /// Nanoseconds that this thread ran.
    private static func cost(_ body: () -> Void) -> Double {
        let begun = self.now
        body()
        return self.now - begun
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
