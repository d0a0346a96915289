import Glibc

/// What the kernel lets this process have.
public enum ResourceLimits {
    /// How many descriptors may be open: `soft` counts now, up to `hard` it can be raised.
    public struct OpenFiles: Equatable, Sendable {
        public let soft: UInt64
        public let hard: UInt64
    }

    /// The limits as they are.
    public static func openFiles() throws(UVError) -> OpenFiles {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw UVError(errnoOf: "getrlimit")
        }
        return OpenFiles(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// Raises the soft limit to the hard one, and returns the limits after it. Each connection is a descriptor, and
    /// the usual soft limit of 1,024 is of a time when programs called `select`.
    @discardableResult
    public static func raiseOpenFiles() throws(UVError) -> OpenFiles {
        try self.setOpenFiles(soft: self.openFiles().hard)
    }

    /// Sets the soft limit; refused above the hard one.
    @discardableResult
    public static func setOpenFiles(soft: UInt64) throws(UVError) -> OpenFiles {
        let hard = try self.openFiles().hard
        var limit = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard))
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw UVError(errnoOf: "setrlimit")
        }
        return OpenFiles(soft: soft, hard: hard)
    }
}
