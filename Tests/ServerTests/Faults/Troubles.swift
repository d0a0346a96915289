import Foundation
import Glibc
import Seeded

@testable import Configuration

/// What goes wrong with a running cluster, chosen by a seed.
struct Troubles {
    enum Kind: String, CaseIterable, Sendable { case killShard, killGateway, freeze, cut }

    let state: StateDirectory
    private var random: SeededRandom
    private var shards = Deck()
    private var gateways = Deck()
    private(set) var counts: [Kind: Int] = [:]

    init(_ state: StateDirectory, seed: UInt64) {
        self.state = state
        self.random = SeededRandom(seed: seed)
    }

    /// One trouble of these kinds; what was done, in words.
    mutating func strike(_ kinds: [Kind]) throws -> String {
        let kind = self.random.pick(kinds)
        let file = try ClusterFile.read(self.state)
        self.counts[kind, default: 0] += 1
        switch kind {
        case .killShard:
            let victim = self.shards.draw(from: file.shards.count, using: &self.random)
            try self.end(file.shards[victim]) { try ClusterFile.read(self.state).shards[victim] }
            return "killed shard \(victim)"
        case .killGateway:
            let victim = self.gateways.draw(from: file.gateways.count, using: &self.random)
            try self.end(file.gateways[victim]) { try ClusterFile.read(self.state).gateways[victim] }
            return "killed gateway \(victim)"
        case .freeze:
            let victim = self.random.pick((file.shards + file.gateways).filter { $0 > 0 })
            let milliseconds = UInt32.random(in: 500...2_500, using: &self.random)
            kill(victim, SIGSTOP)
            usleep(milliseconds * 1_000)
            kill(victim, SIGCONT)
            return "froze process \(victim) for \(milliseconds) ms"
        case .cut:
            let victim = Int.random(in: 0..<file.shards.count, using: &self.random)
            let count = Self.cutLinks(of: file.shards[victim], at: self.state.shardSocket(victim))
            return "cut \(count) links of shard \(victim)"
        }
    }

    /// Victims still to come, so that each process dies about as often as the others.
    private struct Deck {
        private var cards: [Int] = []

        mutating func draw(from count: Int, using random: inout SeededRandom) -> Int {
            if self.cards.isEmpty { self.cards = (0..<count).shuffled(using: &random) }
            return self.cards.removeLast()
        }
    }

    /// Kills, and waits until another process is there instead.
    private func end(_ victim: Int32, _ successor: () throws -> Int32) throws {
        try TestCluster.eventually("there is a process to kill") { try successor() > 0 }
        kill(victim > 0 ? victim : try successor(), SIGKILL)
        try TestCluster.eventually("process \(victim) is followed by another") {
            let pid = try successor()
            return pid > 0 && pid != victim
        }
    }

    // MARK: Cutting a Unix socket

    /// Shuts every connection that a process has accepted at a socket's path, as a cut wire would be noticed; how many.
    ///
    /// The test takes a copy of the process's descriptor (pidfd_getfd(2), Linux 5.6) and calls shutdown(2) on it, which
    /// both ends see. Who may trace the process may do that: root, or here its ancestor.
    static func cutLinks(of pid: Int32, at path: String) -> Int {
        guard pid > 0 else { return 0 }
        var inodes: Set<Substring> = []
        for line in Self.tableOfSockets().split(separator: "\n") where line.hasSuffix(path) {
            let fields = line.split(separator: " ")
            if fields.count == 8, fields[5] == Self.connected { inodes.insert(fields[6]) }
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        let handle = Int32(Self.systemCall(Self.pidfdOpen, Int(pid), 0, 0))
        guard handle >= 0 else { return 0 }  // it has died meanwhile
        defer { close(handle) }
        var count = 0
        for name in names {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(name)"),
                target.hasPrefix("socket:["), inodes.contains(target.dropFirst(8).dropLast()), let number = Int(name)
            else { continue }
            let copy = Int32(Self.systemCall(Self.pidfdGetfd, Int(handle), number, 0))
            guard copy >= 0 else { continue }  // closed meanwhile, or, in some containers, not permitted
            shutdown(copy, Int32(SHUT_RDWR))
            close(copy)
            count += 1
        }
        return count
    }

    /// Read to its end: a file of /proc has no size, and Foundation stops at the first piece.
    private static func tableOfSockets() -> String {
        let file = open("/proc/net/unix", O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    /// SS_CONNECTED, in the column of states in /proc/net/unix.
    private static let connected: Substring = "03"
    private static let pidfdOpen = 434
    private static let pidfdGetfd = 438

    /// syscall(2) takes any number of arguments, which Swift can't import; its machine code is the same for four.
    private static func systemCall(_ number: Int, _ first: Int, _ second: Int, _ third: Int) -> Int {
        typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
        guard let symbol = dlsym(nil, "syscall") else { preconditionFailure("the C library has no syscall") }
        return unsafeBitCast(symbol, to: Call.self)(number, first, second, third)
    }
}
