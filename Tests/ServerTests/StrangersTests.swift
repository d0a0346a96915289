import Booking
import Foundation
import Glibc
import Reactor
import Testing
import Wire

@testable import Configuration
@testable import Operator

/// Who may talk frames with a cluster's processes: the right user, who says who it is, and asks no more than that.
@Suite(.cluster()) struct StrangersTests {
    private static var state: StateDirectory { ServedCluster.shared.state }

    private static func hello(_ role: Hello.Role, index: UInt16 = 9) -> Hello {
        Hello(role: role, index: index, shardCount: 2, slotMapVersion: SlotMap(shardCount: 2).version, life: 7)
    }

    /// What a shard says to `request`: the reason of its goodbye, or nil if it answers.
    private static func refusal(of request: Request, as role: Hello.Role) throws -> String? {
        let shard = SlotMap(shardCount: 2).shard(of: request.slot)
        let socket = try FrameSocket(to: Self.state.shardSocket(shard), as: Self.hello(role))
        guard case .helloAccepted = try socket.next()?.control else { return "no hello" }
        try socket.send(request, id: 1)
        let heard = try socket.next()
        if case .goodbye(let reason) = heard?.control { return reason }
        return heard == nil ? "closed" : nil
    }

    @Test func `each role may ask for its own only`() throws {
        let user = UserID(880_001)
        let debit = Request.transfer(
            TransferOrder(
                id: TransferID(1),
                direction: .debit,
                concert: ConcertID(1),
                user: user,
                amount: Won(1),
                settled: 0
            )
        )
        #expect(try Self.refusal(of: .balance(user), as: .gateway) == nil)
        #expect(try Self.refusal(of: debit, as: .gateway) == "a gateway may not ask a shard to debit")
        #expect(try Self.refusal(of: debit, as: .shard) == nil)
        for role in [Hello.Role.shard, .supervisor, .tool] {
            #expect(try Self.refusal(of: .balance(user), as: role) == "a \(role) may not ask a shard to balance")
        }
        #expect(try ServedCluster.shared.client.balance(880_001).json["balance"] == 0)
    }

    @Test func `whoever does not say who it is hears why, and no more`() throws {
        for path in [Self.state.shardSocket(0), Self.state.gatewaySocket(0)] {
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #expect(FrameSocket.withAddress(path) { connect(descriptor, $0, $1) } == 0)
            let silent = FrameSocket(descriptor: descriptor)
            try silent.send { bytes throws(WireError) in try Control.stats.encode(into: &bytes, requestID: 1) }
            #expect(try silent.next()?.control == .goodbye(reason: "the first frame has to be a hello"))
            #expect(try silent.next() == nil)
        }
    }

    @Test func `sockets are their owner's alone`() throws {
        for path in [Self.state.shardSocket(0), Self.state.shardSocket(1), Self.state.gatewaySocket(0)] {
            #expect(FileStatus(path)?.mode == 0o600, "\(path)")
        }
    }

    @Test(.enabled(if: geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0, "only root can be another user"))
    func `another user's connection is not taken, whatever the modes say`() throws {
        let cluster = try TestCluster(arguments: ["--shards", "1"])
        try cluster.waitUntilUp()
        let state = cluster.state
        for name in [state.path, state.shardSocket(0), state.gatewaySocket(0), state.clusterFile] { chmod(name, 0o777) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/setpriv")
        process.arguments = [
            "--reuid=65534", "--regid=65534", "--clear-groups", "--", "/bin/sh", "-c",
            #"exec python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "#
                + #"print("closed" if s.recv(1) == b"" else "heard")' "\#(state.shardSocket(0))""#,
        ]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "closed\n")
        try TestCluster.eventually("the shard has told") { cluster.errorText.contains("of user 65534") }
        #expect(try StatsCommand.text(state, json: true).contains("shards"))
    }
}
