import Booking

/// Messages between processes about the connection and themselves.
///
///     dialler ──hello──▶ acceptor
///             ◀──helloAccepted──     then requests, replies, pings and stats in any order
///             ◀──goodbye(reason)──   instead, and the connection is closed; either side may say it later, too
public enum Control: Equatable, Sendable {
    /// The first frame from the dialler, about itself.
    case hello(Hello)
    /// A hello of another protocol version, of which only the version can be read. To be answered with a goodbye.
    case otherVersion(UInt16)
    /// The answer to an acceptable hello: about the acceptor.
    case helloAccepted(Hello)
    /// The last frame before the connection is closed. The reason is for people; it is cut to 1,024 bytes.
    case goodbye(reason: String)
    /// Checks whether the other side's loop is running.
    case ping
    case pong
    /// Asks for counters and latencies.
    case stats
    /// JSON.
    case statsAnswer(String)
    /// The answer to a frame of an unknown kind; its request id is that frame's.
    case unknownKind(UInt8)

    /// The frame's kind.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case hello = 192, helloAccepted, goodbye, ping, pong, stats, statsAnswer, unknownKind
    }
}

/// The process at one end of a connection, and its view of the cluster's layout.
public struct Hello: Equatable, Sendable {
    public enum Role: UInt8, Sendable, CaseIterable { case gateway = 0, shard = 1, supervisor = 2, tool = 3 }

    public let role: Role
    /// The number of the process within its role, from 0.
    public let index: UInt16
    /// At most 16,384; 0 from a tool, which doesn't know.
    public let shardCount: UInt16
    public let slotMapVersion: UInt32
    /// For a gateway: random and new at each start, so that its requests differ from those of another life. 0 for all
    /// others, whose requests are identified by their content.
    public let life: UInt64
    /// `Catalogue.digest` of the process's catalogue; 0 without one.
    public let catalogue: UInt64

    public init(
        role: Role,
        index: UInt16,
        shardCount: UInt16,
        slotMapVersion: UInt32,
        life: UInt64 = 0,
        catalogue: UInt64 = 0
    ) {
        self.role = role
        self.index = index
        self.shardCount = shardCount
        self.slotMapVersion = slotMapVersion
        self.life = life
        self.catalogue = catalogue
    }
}

extension Control {
    /// Appends one frame of slot 0. Throws, and appends nothing, only for stats that don't fit a frame.
    public func encode(into bytes: inout FrameBytes, requestID: UInt64) throws(WireError) {
        let start = bytes.beginFrame(kind: self.kind.rawValue, slot: 0, requestID: requestID)
        switch self {
        case .hello(let hello), .helloAccepted(let hello):
            bytes.append(FrameLimits.protocolVersion)
            bytes.append(hello.role.rawValue)
            bytes.append(hello.index)
            bytes.append(hello.shardCount)
            bytes.append(hello.slotMapVersion)
            bytes.append(hello.life)
            bytes.append(hello.catalogue)
        case .otherVersion(let version):
            bytes.append(version)
        case .goodbye(let reason):
            bytes.append(text: Self.cut(reason))
        case .ping, .pong, .stats:
            break
        case .statsAnswer(let json):
            bytes.append(text: json)
        case .unknownKind(let kind):
            bytes.append(kind)
        }
        try bytes.endFrame(start)
    }

    /// Throws for a frame of another category, for values out of range, and for bytes left over.
    public init(frame: Frame) throws(WireError) {
        guard let kind = Kind(rawValue: frame.header.kind) else { throw WireError("the frame is not a control frame") }
        var reader = try frame.reader()
        switch kind {
        case .hello:
            let version = try reader.readUInt16()
            guard version == FrameLimits.protocolVersion else {
                self = .otherVersion(version)
                return
            }
            self = .hello(try reader.readHello())
        case .helloAccepted:
            guard try reader.readUInt16() == FrameLimits.protocolVersion else {
                throw WireError("a hello was accepted in another protocol version than its own")
            }
            self = .helloAccepted(try reader.readHello())
        case .goodbye: self = .goodbye(reason: try reader.readText(bytesMax: FrameLimits.reasonBytesMax))
        case .ping: self = .ping
        case .pong: self = .pong
        case .stats: self = .stats
        case .statsAnswer: self = .statsAnswer(try reader.readText(bytesMax: FrameLimits.bodyBytesMax))
        case .unknownKind: self = .unknownKind(try reader.readUInt8())
        }
        try reader.end()
    }

    private var kind: Kind {
        switch self {
        case .hello, .otherVersion: .hello
        case .helloAccepted: .helloAccepted
        case .goodbye: .goodbye
        case .ping: .ping
        case .pong: .pong
        case .stats: .stats
        case .statsAnswer: .statsAnswer
        case .unknownKind: .unknownKind
        }
    }

    /// The longest prefix of `reason` that fits and does not end inside a character.
    private static func cut(_ reason: String) -> String {
        guard reason.utf8.count > FrameLimits.reasonBytesMax else { return reason }
        var kept = String.UnicodeScalarView()
        var room = FrameLimits.reasonBytesMax
        for scalar in reason.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}

extension FrameReader {
    fileprivate mutating func readHello() throws(WireError) -> Hello {
        let role: Hello.Role = try self.readCase("role")
        let index = try self.readUInt16()
        let shardCount = try self.readUInt16()
        guard shardCount <= Slot.count else { throw WireError("a cluster has more shards than slots") }
        let slotMapVersion = try self.readUInt32()
        return Hello(
            role: role,
            index: index,
            shardCount: shardCount,
            slotMapVersion: slotMapVersion,
            life: try self.readUInt64(),
            catalogue: try self.readUInt64()
        )
    }
}
