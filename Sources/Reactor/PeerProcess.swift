import Glibc

/// The process at the other end of a Unix socket, by the kernel's word: it can't be forged.
public struct PeerProcess: Equatable, Sendable {
    public let processID: Int32
    /// Its user when it connected, or began to listen.
    public let user: UInt32

    init(processID: Int32, user: UInt32) {
        self.processID = processID
        self.user = user
    }

    /// Nil for a descriptor that is not a connected Unix socket.
    init?(_ descriptor: Int32) {
        // struct ucred: pid, uid, gid.
        var raw: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: raw))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &raw, &size) == 0 else { return nil }
        // A socket without a peer reports the user -1, which does not exist.
        guard size == MemoryLayout.size(ofValue: raw), raw.1 != .max else { return nil }
        self.init(processID: raw.0, user: raw.1)
    }

    /// Whether it runs as the user of this process, or as root, who may do anything anyway.
    public var isOurs: Bool { self.isOf(geteuid()) }

    public func isOf(_ user: UInt32) -> Bool { self.user == user || self.user == 0 }
}
