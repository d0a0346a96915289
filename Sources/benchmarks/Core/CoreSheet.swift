import Glibc
import StandardStreams
import Wire

/// Measures operations, one after the other, and prints a line of JSON for each.
///
///     time:   before ─▶ │ round │ · before ─▶ │ round │ · ...      the median round's nanoseconds an operation
///     count:  before ─▶ round · before ─▶ │ round │                 instructions, by callgrind around the second round
///
/// Instructions are counted only between two calls into a library that deploy/bench/core.py builds and preloads, so a
/// line of ten million people is built at nearly full speed. Without that library, counting does nothing.
final class CoreSheet {
    private typealias Call = @convention(c) (Int32) -> Void

    private let isCounting: Bool
    let rounds: Int
    private let countingBegins: Call?
    private let countingEnds: Call?
    private var number: Int32 = 0

    init(rounds: Int, isCounting: Bool) {
        self.rounds = isCounting ? 2 : rounds
        self.isCounting = isCounting
        self.countingBegins = Self.call("counting_begins")
        self.countingEnds = Self.call("counting_ends")
    }

    private static func call(_ name: String) -> Call? {
        guard let address = dlsym(nil, name) else { return nil }
        return unsafeBitCast(address, to: Call.self)
    }

    /// `body` does the operation `count` times; `before` prepares a round and is not measured. `waiting` is the length
    /// of the line, where that matters, and `charged` the number of requests that an operation counts as.
    func measure(
        _ name: String,
        waiting: UInt64? = nil,
        count: Int,
        charged: Int = 1,
        before: () -> Void = {},
        _ body: () throws -> Void
    ) rethrows {
        self.number += 1
        var spans: [UInt64] = []
        for round in 0..<self.rounds {
            before()
            let counts = self.isCounting && round == self.rounds - 1
            if counts { self.countingBegins?(self.number) }
            let begun = Self.cpuTime
            try body()
            spans.append(Self.cpuTime - begun)
            if counts { self.countingEnds?(self.number) }
        }
        spans.sort()
        let nanoseconds = Double(spans[spans.count / 2]) / Double(count)
        var line = OutputBytes()
        line.openObject()
        line.member("number", Int64(self.number))
        line.member("name", name)
        line.member("waiting", waiting ?? 0)
        line.member("operations", Int64(count))
        line.member("charged", Int64(charged))
        if !self.isCounting { line.member("nanoseconds") }
        CommandOutput.line(line.view.text + (self.isCounting ? "}" : "\(nanoseconds)}"))
    }

    /// Nanoseconds that this thread has run: other threads affect it only through the shared caches.
    private static var cpuTime: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Bytes per thing, of the memory allocated since `before`.
    func note(_ name: StaticString, things: UInt64, since before: Memory) {
        let now = Memory.now
        let allocated = Double(now.allocated - before.allocated) / Double(things)
        let resident = Double(now.resident - before.resident) / Double(things)
        CommandOutput.line(
            #"{"name":"\#(name)","things":\#(things),"allocated":\#(allocated),"resident":\#(resident)}"#
        )
    }
}

/// Keeps the compiler from removing results that are not used.
@inline(never)
func use<Value>(_ value: borrowing Value) where Value: ~Copyable {}
