import Glibc

/// The kernel's limits for this process.
public enum ResourceLimits {
    /// Open descriptors: `soft` is in force, and can be raised up to `hard`.
    public struct OpenFiles: Equatable, Sendable {
        public let soft: UInt64
        public let hard: UInt64
    }

    /// The current limits.
    public static func openFiles() throws(UVError) -> OpenFiles {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw UVError(errnoOf: "getrlimit")
        }
        return OpenFiles(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// Raises the soft limit to the hard one, and returns the new limits. Each connection needs a descriptor, and the
    /// usual soft limit of 1,024 dates from the time of `select`.
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
