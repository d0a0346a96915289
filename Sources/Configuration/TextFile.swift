import Glibc
import Reactor

/// Small whole files: read with a bound, written so that a reader never sees half of one.
public enum TextFile {
    /// Settings and catalogues longer than this are a mistake: 100,000 listed schedules are a tenth of it.
    public static let bytesMax = 64 << 20

    /// Reads a regular file whole. Refuses a file longer than `bytesMax`, or one that `trust` objects to.
    public static func read(
        _ path: String,
        trust: FileTrust? = nil,
        bytesMax: Int = TextFile.bytesMax
    ) throws(FileError) -> [UInt8] {
        // Non-blocking: opening a pipe would wait for its other end.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(path, "cannot be opened", errno) }
        defer { close(descriptor) }
        guard let status = FileStatus(descriptor: descriptor), status.isRegular else {
            throw FileError(path: path, reason: "is no regular file")
        }
        if let mistake = trust?.mistake(in: path, status) { throw FileError(path: path, mistrust: mistake) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(path, "cannot be read", errno) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= bytesMax else {
                throw FileError(path: path, reason: "is longer than \(bytesMax >> 20) MiB, the most that is read")
            }
        }
    }

    /// Writes beside `path` and renames, with mode 0600: readers find the old content or the new. Of several concurrent
    /// writers the last one wins; see `FolderLock` where each changes what it has read.
    public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let draft = "\(path).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(draft, "cannot be created", errno) }
        do throws(FileError) {
            defer { close(descriptor) }
            try Self.write(bytes, to: descriptor, path: draft)
            // Else a power cut could leave the new name empty, and the old content lost.
            guard fsync(descriptor) == 0 else { throw FileError(draft, "cannot be written", errno) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else { throw FileError(path, "cannot be replaced", errno) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileError(path, "cannot be written", errno) }
            rest = rest.dropFirst(count)
        }
    }
}

/// A file's error, as a sentence that starts with its path.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String
    /// The fault of its owner or rights, if nothing else is wrong.
    let mistrust: StartError?

    /// `reason` follows the path in the error's description.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
        self.mistrust = nil
    }

    /// A file that others may read or write.
    public init(path: String, mistrust: StartError) {
        self.path = path
        self.reason = "is not trusted: \(mistrust)"
        self.mistrust = mistrust
    }

    /// `code` is an errno.
    public init(_ path: String, _ what: String, _ code: Int32) {
        self.init(path: path, reason: "\(what): \(String(cString: strerror(code)))")
    }

    public var description: String { "\(self.path) \(self.reason)" }
}
