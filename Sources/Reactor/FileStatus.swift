import CLibuv

/// A file's status (stat(2)), read at once: a system call.
///
/// Read through libuv, as `struct stat` is unreliable in a module that imports both Glibc and something built on
/// CoreFoundation: which of the two definitions the compiler uses depends on what it has read first.
public struct FileStatus: Equatable, Sendable {
    public let inode: UInt64
    public let device: UInt64
    /// Bytes.
    public let size: UInt64
    /// When its content last changed, since 1970.
    public let seconds: Int64
    public let nanoseconds: Int64
    public let user: UInt32
    /// Permissions: 0o600 is access for its owner only.
    public let mode: UInt32
    public let isFolder: Bool
    /// A file with bytes: not a folder, pipe, socket or device.
    public let isRegular: Bool

    /// Nil for a path without a file, or one that can't be read.
    public init?(_ path: String) {
        self.init { uv_fs_stat(nil, &$0, path, nil) }
    }

    /// Nil for a descriptor that is not open.
    public init?(descriptor: Int32) {
        self.init { uv_fs_fstat(nil, &$0, descriptor, nil) }
    }

    private init?(_ ask: (inout uv_fs_t) -> Int32) {
        var request = uv_fs_t()
        let code = ask(&request)
        let status = request.statbuf
        uv_fs_req_cleanup(&request)
        guard code == 0 else { return nil }
        self.inode = status.st_ino
        self.device = status.st_dev
        self.size = status.st_size
        self.seconds = Int64(status.st_mtim.tv_sec)
        self.nanoseconds = Int64(status.st_mtim.tv_nsec)
        self.user = UInt32(truncatingIfNeeded: status.st_uid)
        self.mode = UInt32(truncatingIfNeeded: status.st_mode & 0o7777)
        self.isFolder = status.st_mode & 0o170000 == 0o040000  // S_IFMT, S_IFDIR (inode(7))
        self.isRegular = status.st_mode & 0o170000 == 0o100000  // S_IFREG
    }

    /// Whether both are the same file, regardless of later writes.
    public func isSameFile(as other: FileStatus) -> Bool { self.inode == other.inode && self.device == other.device }
}
