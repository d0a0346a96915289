import Booking
import Glibc
import Wire

/// A link to a shard like a gateway's: its hello, then requests in batches, each batch written at once, as a gateway
/// writes once a turn. Blocking; one batch is in flight at a time.
final class GatewayLink {
    private let descriptor: Int32
    private var decoder = FrameDecoder()
    private var outgoing = FrameBytes()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var firstID: UInt64 = 1
    /// The people of the batch in flight, in the order of its requests.
    private var people: [Int] = []

    /// Poses as gateway `index` of a cluster of one shard.
    init(toPath path: String, index: Int) throws {
        self.descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw WireError("the path of a socket is too long: \(path)") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw WireError("no listener at \(path): \(errno)") }
        let slots = SlotMap(shardCount: 1)
        let hello = Hello(
            role: .gateway,
            index: UInt16(index),
            shardCount: UInt16(slots.shardCount),
            slotMapVersion: slots.version,
            life: .random(in: 1...UInt64.max)
        )
        try Control.hello(hello).encode(into: &self.outgoing, requestID: 0)
        try self.flush()
        var isUp = false
        while !isUp {
            try self.receive { frame throws(WireError) in
                guard case .helloAccepted = try Control(frame: frame) else {
                    throw WireError("the shard does not want this link")
                }
                isUp = true
            }
        }
    }

    deinit {
        close(self.descriptor)
        self.buffer.deallocate()
    }

    /// Sends `count` requests, each about the `next` person.
    func ask(_ count: Int, about next: () -> Int, asking request: (Int) -> Request) throws {
        precondition(self.people.isEmpty, "a batch is under way")
        for _ in 0..<count {
            let person = next()
            let request = request(person)
            let id = self.firstID + UInt64(self.people.count)
            try request.encode(into: &self.outgoing, slot: request.slot, requestID: id)
            self.people.append(person)
        }
        try self.flush()
    }

    /// Waits for all answers of the batch.
    func hear(_ take: (Int, Reply) throws(WireError) -> Void) throws {
        var missing = self.people.count
        while missing > 0 {
            try self.receive { frame throws(WireError) in
                let index = frame.header.requestID &- self.firstID
                guard index < UInt64(self.people.count) else { throw WireError("an answer to nothing") }
                missing -= 1
                try take(self.people[Int(index)], try Reply(frame: frame))
            }
        }
        self.firstID += UInt64(self.people.count)
        self.people.removeAll(keepingCapacity: true)
    }

    private func flush() throws {
        try self.outgoing.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = send(self.descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { throw WireError("the link is lost: \(errno)") }
                written += count
            }
        }
        self.outgoing.removeAll()
    }

    private func receive(_ take: (Frame) throws(WireError) -> Void) throws {
        let count = recv(self.descriptor, self.buffer.baseAddress, self.buffer.count, 0)
        guard count > 0 else { throw WireError("the shard has closed the link: \(errno)") }
        try self.decoder.feed(UnsafeRawBufferPointer(rebasing: self.buffer[..<count]), take)
    }
}
