import Booking
import FoundationEssentials
import Glibc
import Reactor

/// Operations on the files of a state folder.
extension StateDirectory {
    /// Creates the folder with mode 0700, or accepts an existing one that this user may use and others can't write to.
    public func prepare() throws(StartError) {
        if mkdir(self.path, 0o700) == 0 { return }
        guard errno == EEXIST else {
            throw StartError(
                "the state folder \(self.path) cannot be created: \(String(cString: strerror(errno)))",
                remedy: "create its parent, or choose another folder with --state"
            )
        }
        guard let status = FileStatus(self.path) else {
            throw StartError(
                "the state folder \(self.path) cannot be examined",
                remedy: "choose another folder with --state"
            )
        }
        guard status.isFolder else {
            throw StartError("\(self.path) is not a folder", remedy: "choose another with --state")
        }
        if let mistake = FileTrust.stateFolder.mistake(in: self.path, status) {
            throw StartError("the state folder: \(mistake.problem)", remedy: mistake.remedy)
        }
        guard access(self.path, R_OK | W_OK | X_OK) == 0 else {
            throw StartError(
                "the state folder \(self.path) is not writable",
                remedy: "give its owner all rights (chmod 700), or choose another folder with --state"
            )
        }
    }

    /// The folder's owner; nil when there is no folder.
    public var owner: UInt32? { FileStatus(self.path)?.user }

    /// Locks the folder until this process ends in any way. The file stays: if it were removed, two processes could
    /// each hold the lock of a file with this name.
    public func lock() throws(StartError) {
        let descriptor = open(self.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError(
                "\(self.lockFile) cannot be opened: \(String(cString: strerror(errno)))",
                remedy: "choose another folder with --state"
            )
        }
        // Never closed: the kernel releases the lock when this process is gone.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 20)
            let count = read(descriptor, &text, text.count)
            close(descriptor)
            let holder = Int32(String(decoding: text[..<max(0, count)], as: UTF8.self).prefix { $0.isNumber })
            throw StartError(
                "a cluster is running in \(self.path)" + (holder.map { ", under process \($0)" } ?? ""),
                remedy:
                    "stop it (kill \(holder.map(String.init) ?? "its supervisor")), "
                    + "or choose another folder with --state"
            )
        }
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        write(descriptor, text, text.count)
    }

    /// The sockets in the folder, of every cluster that ran here.
    public func sockets() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
        return names.filter {
            $0.hasSuffix(".sock") && ($0.hasPrefix("shard-") || $0.hasPrefix("gateway-") || $0.hasPrefix("control"))
        }.sorted().map { "\(self.path)/\($0)" }
    }

    /// Whether a cluster was killed here: one that stops removes its traces.
    public var hasTraces: Bool { !self.sockets().isEmpty || access(self.clusterFile, F_OK) == 0 }

    /// Removes a cluster's leftovers and the files that say it runs. Its settings stay, for commands on its journals.
    public func removeTraces() {
        for path in self.sockets() + [self.clusterFile] { unlink(path) }
    }
}

/// The processes in a state folder: written by the supervisor when all are ready, and after each restart; removed when
/// the cluster stops.
public struct ClusterFile: Codable, Equatable, Sendable {
    public var supervisor: Int32
    /// Process ids by index; 0 while a process waits for its restart.
    public var shards: [Int32]
    public var gateways: [Int32]
    public var host: String
    public var port: Int
    public var operatorHost: String
    public var operatorPort: Int

    public init(
        supervisor: Int32,
        shards: [Int32],
        gateways: [Int32],
        host: String,
        port: Int,
        operatorHost: String,
        operatorPort: Int
    ) {
        self.supervisor = supervisor
        self.shards = shards
        self.gateways = gateways
        self.host = host
        self.port = port
        self.operatorHost = operatorHost
        self.operatorPort = operatorPort
    }

    /// Replaces the file atomically.
    public func write(to state: StateDirectory) throws(FileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes: [UInt8]
        do { bytes = try Array(encoder.encode(self)) } catch {
            preconditionFailure("a cluster file is no JSON: \(error)")
        }
        try TextFile.write(bytes + [0x0A], to: state.clusterFile)
    }

    /// Refused when no cluster is up in the folder.
    public static func read(_ state: StateDirectory) throws(StartError) -> ClusterFile {
        do { return try JSONDecoder().decode(ClusterFile.self, from: Data(TextFile.read(state.clusterFile))) } catch {
            let reason = (error as? FileError).map { "\($0)" } ?? "\(state.clusterFile) is not readable: \(error)"
            throw StartError(
                "no cluster is up in \(state.path): \(reason)",
                remedy: "start one with usher cluster, or name its state folder with --state"
            )
        }
    }
}
