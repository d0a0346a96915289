import CSQLite
import Glibc
import Journal

/// The files of one shard's journal, all with mode 0600 in a folder with mode 0700.
///
///     STATE/journal/
///       shard-3.sqlite        batches of facts; beside it SQLite's own -wal and -shm
///       shard-3.snapshot      the newest snapshot, see `SnapshotFile`
///       shard-3.archive       dropped batches, kept for audits, see `DroppedBatches`
///       shard-3.head          how far the journal is known to be durable, see `JournalHead`
///       shard-3.lock          held by the owner for its lifetime, see `OwnerLock`
///       shard-3.compacting    held by a compaction
public struct JournalFiles: Equatable, Sendable {
    public let state: String
    public let shard: Int

    public init(state: String, shard: Int) {
        self.state = state
        self.shard = shard
    }

    public var directory: String { "\(self.state)/journal" }
    public var database: String { "\(self.directory)/shard-\(self.shard).sqlite" }
    public var snapshot: String { "\(self.directory)/shard-\(self.shard).snapshot" }
    public var head: String { "\(self.directory)/shard-\(self.shard).head" }
    public var lock: String { "\(self.directory)/shard-\(self.shard).lock" }

    var compactionLock: String { "\(self.directory)/shard-\(self.shard).compacting" }

    /// The command that examines a damaged journal.
    public var verifyCommand: String { "usher journal verify --state \(self.state) --shard \(self.shard)" }

    /// Whether the journal's database exists.
    public var exist: Bool { Self.isThere(self.database) }

    static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Creates the folder, or closes it to other users. Refused if others could have written in it.
    func prepareDirectory() throws(JournalError) {
        try self.refuseUntrusted(.owner)
        if mkdir(self.directory, 0o700) == 0 { return try PlainFile.syncDirectory(of: self.directory) }
        guard errno == EEXIST else { throw PlainFile.failure(self.directory, "mkdir") }
        guard chmod(self.directory, 0o700) == 0 else { throw PlainFile.failure(self.directory, "chmod") }
    }

    func damage(_ file: String, at sequence: UInt64, _ reason: String) -> JournalError {
        .damaged(JournalDamage(file: file, sequence: sequence, reason: reason, command: self.verifyCommand))
    }

    /// Damage found in a copy means that its files do not belong together.
    func inWords(_ error: JournalError, isCopy: Bool) -> JournalError {
        guard isCopy else { return error }
        switch error {
        case .damaged(let damage): return .torn(damage)
        case .missing where self.exist: return self.torn("the file is empty, and its log (-wal) is not here")
        default: return error
        }
    }

    /// This shard had a journal, and its file is not there.
    func missing(_ evidence: String) -> JournalError {
        .missing(shard: self.shard, state: self.state, file: self.database, evidence: evidence)
    }

    func torn(_ reason: String) -> JournalError {
        .torn(JournalDamage(file: self.database, sequence: 1, reason: reason, command: self.verifyCommand))
    }

    /// The journal's error for a failure of SQLite. Our statements are right, so an error that SQLite finds in the
    /// file, or in a statement, means that the file was altered.
    func error(_ failure: SQLiteFailure, at sequence: UInt64) -> JournalError {
        switch failure.primaryCode {
        case SQLITE_FULL: .full(file: self.database)
        case SQLITE_BUSY, SQLITE_LOCKED: .busy(file: self.database)
        case SQLITE_IOERR: .inputOutput(file: self.database, code: failure.code, message: failure.message)
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_NOMEM, SQLITE_PROTOCOL, SQLITE_NOLFS:
            .failed(file: self.database, call: failure.call, message: failure.message)
        default: self.damage(self.database, at: sequence, "SQLite says: \(failure.message)")
        }
    }
}

/// Plain files: opened, read and written whole, made durable.
enum PlainFile {
    static func failure(_ path: String, _ call: String, _ code: Int32 = errno) -> JournalError {
        switch code {
        case ENOSPC, EDQUOT: .full(file: path)
        default: .failed(file: path, call: call, message: String(cString: strerror(code)))
        }
    }

    static func open(_ path: String, _ flags: Int32) throws(JournalError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.failure(path, "open") }
        return descriptor
    }

    /// Writes all of `bytes` at the descriptor's position.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32, _ path: String) throws(JournalError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw self.failure(path, "write") }
            written += count
        }
    }

    /// All bytes of a file; nil when it does not exist.
    static func read(_ path: String) throws(JournalError) -> [UInt8]? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw self.failure(path, "open")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw self.failure(path, "fstat") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + filled, $0.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw self.failure(path, "read") }
            guard count > 0 else { return Array(bytes[..<filled]) }
            filled += count
        }
        return bytes
    }

    /// 0 for a file that does not exist.
    static func size(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// Bytes that an ordinary user may still write there; nil if the system does not say.
    static func freeBytes(at directory: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    static func sync(_ descriptor: Int32, _ path: String) throws(JournalError) {
        guard fsync(descriptor) == 0 else { throw self.failure(path, "fsync") }
    }

    /// Makes a file's name durable as well as its content.
    static func syncDirectory(of path: String) throws(JournalError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = parent.isEmpty ? "/" : parent
        let descriptor = try self.open(directory, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        try self.sync(descriptor, directory)
    }
}
