public import Booking
import Configuration
public import Logging
public import Reactor
public import Statistics
public import Wire

/// One line of JSON for each answer of a gateway, in a file.
///
///     {"time":"2026-11-24T07:18:29.031Z","gateway":0,"client":"203.0.113.7","method":"GET","call":"poll",
///      "status":200,"us":812,"shard":3,"bytes":231}
///
/// `time` is when it was answered (UTC), `us` the latency, `bytes` the whole answer with its head. `client` and `shard`
/// are left out where there is none. Nothing that could harm somebody is logged: no token, key, query or body.
/// Connections turned away before their first request have no line, but a counter of the gateway.
///
///     loop:    append ──▶ filling ──64 KiB, or a tick──▶ handed over ──written──▶ spare
///     pool:                                                   └─▶ write(2)
///
/// **Happy path.** A line is appended to a preallocated block; a thread of the pool writes one block while the loop
/// fills the other. **When the file fails or is slow,** the block being filled becomes full: then lines are dropped and
/// counted, and the loop never waits. **A file that was renamed or removed** is opened again before the next write, so
/// logrotate needs no signal.
public final class AccessLog {
    /// The request's part of a line.
    public struct Entry {
        /// The name of the call; `none` for a path that is none.
        public var call: StaticString = "none"
        /// On the gateway's steady clock.
        public var at = Timestamp(nanoseconds: 0)
        /// The shard that has answered.
        public var shard: Int?

        /// For a request at `at`; `shard` where one has answered it.
        public init(call: StaticString = "none", at: Timestamp = Timestamp(nanoseconds: 0), shard: Int? = nil) {
            self.call = call
            self.at = at
            self.shard = shard
        }
    }

    /// Some 6,000 lines: a tenth of a second at 60,000 answers a second, and as much again in the other block.
    static let blockBytes = 1 << 20
    /// More than the longest line.
    static let lineBytesMax = 384
    /// Enough for a write before the next tick.
    private static let handOverBytes = 64 << 10

    private let loop: EventLoop
    private let log: Logger
    private let gateway: UInt64
    private let pollSample: Int
    private let file: AccessLogFile
    private var filling = AccessLogBlock(capacity: AccessLog.blockBytes)
    /// Nil while a write is under way.
    private var spare: AccessLogBlock? = AccessLogBlock(capacity: AccessLog.blockBytes)
    private var pollsLeftOut = 0
    private var isFailing = false
    private var isClosed = false
    /// The second in `secondText`.
    private var second = Int64.min
    private var secondText = OutputBytes(capacity: DateTimeText.count)
    /// Lines written and dropped since the start.
    public private(set) var counts = GatewayStats.AccessLog()

    /// The file is opened at the first write. Of polls that were answered well, one in `pollSample` has a line.
    public init(path: String, gateway: Int, pollSample: Int, on loop: EventLoop, log: Logger) {
        self.loop = loop
        self.log = log
        self.gateway = UInt64(gateway)
        self.pollSample = pollSample
        self.file = AccessLogFile(path: path)
    }

    /// Logs one answer; some 150 ns, no allocation. `now` is on the same clock as `asked.at`.
    public func append(
        _ asked: Entry,
        _ status: HTTPStatus,
        _ method: HTTPMethod,
        bytes: Int,
        client: SocketAddress?,
        at now: Timestamp
    ) {
        guard status != .ok || !self.isLeftOut(asked.call) else { return }
        guard self.filling.bytes.count + Self.lineBytesMax <= Self.blockBytes else { return self.counts.dropped += 1 }
        self.appendTime()
        self.filling.bytes.append(#"","gateway":"#)
        self.filling.bytes.append(decimal: self.gateway)
        if let client {
            self.filling.bytes.append(#","client":""#)
            self.filling.bytes.append(host: client)
            self.filling.bytes.append(#"""#)
        }
        self.filling.bytes.append(#","method":""#)
        self.filling.bytes.append(method.name)
        self.filling.bytes.append(#"","call":""#)
        self.filling.bytes.append(asked.call)
        self.filling.bytes.append(#"","status":"#)
        self.filling.bytes.append(decimal: UInt64(status.rawValue))
        self.filling.bytes.append(#","us":"#)
        self.filling.bytes.append(decimal: UInt64(max(0, (now - asked.at).rawValue) / 1_000))
        if let shard = asked.shard {
            self.filling.bytes.append(#","shard":"#)
            self.filling.bytes.append(decimal: UInt64(shard))
        }
        self.filling.bytes.append(#","bytes":"#)
        self.filling.bytes.append(decimal: UInt64(bytes))
        self.filling.bytes.append("}\n")
        self.filling.lines += 1
        if self.filling.bytes.count >= Self.handOverBytes { self.handOver() }
    }

    /// Of successful polls, one in `pollSample` has a line.
    private func isLeftOut(_ call: StaticString) -> Bool {
        guard self.pollSample > 1, ByteView(call) == Request.Kind.poll.name else { return false }
        self.pollsLeftOut += 1
        guard self.pollsLeftOut == self.pollSample else { return true }
        self.pollsLeftOut = 0
        return false
    }

    private func appendTime() {
        let now = Clock.wallNanoseconds()
        let second = Int64(now / 1_000_000_000)
        if second != self.second {
            self.second = second
            self.secondText.removeAll()
            self.secondText.append(isoDateTime: second)
        }
        self.filling.bytes.append(#"{"time":""#)
        self.filling.bytes.append(self.secondText.view)
        self.filling.bytes.append(UInt8(ascii: "."))
        self.filling.bytes.append(decimal: Int(now / 1_000_000 % 1_000), width: 3)
        self.filling.bytes.append(UInt8(ascii: "Z"))
    }

    // MARK: To the file

    /// Hands the filled block to a thread for writing, unless a write is under way. Called by ticks.
    public func handOver() {
        guard self.filling.lines > 0, let spare = self.spare.take() else { return }
        let block = self.filling
        self.filling = spare
        let file = self.file
        self.loop.offload({ file.write(block) }, then: { [self] written in self.recycle(block, written) })
    }

    /// Writes the remaining lines; none may follow. The loop goes on until that is done.
    public func close() {
        self.isClosed = true
        self.handOver()
    }

    private func recycle(_ block: AccessLogBlock, _ written: AccessLogFile.Written) {
        self.counts.lines += UInt64(written.lines)
        self.counts.dropped += UInt64(block.lines - written.lines)
        self.tell(written.trouble)
        block.bytes.removeAll()
        block.lines = 0
        self.spare = block
        if self.isClosed || self.filling.bytes.count >= Self.handOverBytes { self.handOver() }
    }

    /// Logs the start and the end of a trouble, once each.
    private func tell(_ trouble: FileError?) {
        guard (trouble != nil) != self.isFailing else { return }
        self.isFailing = trouble != nil
        if let trouble {
            self.log.error("access log not written, its lines are dropped", metadata: ["reason": "\(trouble)"])
        } else {
            self.log.info("access log written again", metadata: ["dropped": "\(self.counts.dropped)"])
        }
    }
}

extension OutputBytes {
    /// An address without its port: IPv4 in four numbers, IPv6 by RFC 5952 (the longest run of zeros, of at least two
    /// groups, is `::`).
    mutating func append(host address: SocketAddress) {
        guard address.family == .ipv6 else {
            for shift in stride(from: UInt128(24), through: 0, by: -8) {
                self.append(decimal: UInt64(truncatingIfNeeded: address.bits >> shift & 0xFF))
                if shift > 0 { self.append(UInt8(ascii: ".")) }
            }
            return
        }
        let zeros = Self.longestZeros(address.bits)
        var group = 0
        while group < 8 {
            if group == zeros.lowerBound, !zeros.isEmpty {
                self.append("::")
                group = zeros.upperBound
                continue
            }
            if group > 0, group != zeros.upperBound || zeros.isEmpty { self.append(UInt8(ascii: ":")) }
            self.append(shortHex: Self.group(group, of: address.bits))
            group += 1
        }
    }

    private static func group(_ index: Int, of bits: UInt128) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 - index * 16))
    }

    /// The groups that `::` stands for; empty for none.
    private static func longestZeros(_ bits: UInt128) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0..<8 {
            guard Self.group(index, of: bits) == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > max(1, longest.count) { longest = start..<index + 1 }
        }
        return longest
    }

    private mutating func append(shortHex number: UInt16) {
        var isLeading = true
        for shift in stride(from: 12, through: 0, by: -4) {
            let digit = UInt8(number >> UInt16(shift) & 15)
            if digit == 0, isLeading, shift > 0 { continue }
            isLeading = false
            self.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }
}
