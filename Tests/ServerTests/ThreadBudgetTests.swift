import Foundation
import Glibc
import Testing

/// A cluster that may have too few processes and threads (RLIMIT_NPROC) does not come up, and says which limit that is.
@Suite struct ThreadBudgetTests {
    /// The first of users who have nothing else running, one for each number: the limit counts all that a user has. Root has
    /// no such limit.
    private static let firstUser = 54_321
    private static let canBeAnother = geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0

    /// Runs the cluster as that user; an ordinary one stays who they are, and has more running than `count` already.
    private static func cluster(_ count: Int) throws -> (status: Int32, errors: String) {
        let folder = "/tmp/usher-n\(UInt32.random(in: 0 ... .max))"
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The build's folder may be closed to others.
        let executable = "\(folder)/usher"
        try FileManager.default.copyItem(atPath: TestCluster.executable, toPath: executable)
        let command = [
            "prlimit", "--nproc=\(count)", executable, "cluster", "--shards", "1", "--port", "0", "--operator-port",
            "0",
            "--state", "\(folder)/state", "--set", "accessLog.file=\(folder)/access.log",
        ]
        var before: [String] = []
        if Self.canBeAnother {
            let user = Self.firstUser + count
            chown(folder, uid_t(user), gid_t(user))
            before = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--"]
        }
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = before + command
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationReason == .exit ? process.terminationStatus : -1, text)
    }

    /// The supervisor needs two (its log's), a shard seven (the pool's four, the journal's two) and a gateway five.
    @Test(arguments: 1...13) func `too few of them end the start, with a reason and what to do`(count: Int) throws {
        try #require(geteuid() != 0 || Self.canBeAnother)
        let (status, errors) = try Self.cluster(count)
        #expect(status == 1, "\(errors)")
        #expect(errors.contains("raise the limit of processes and threads of this user (ulimit -u;"), "\(errors)")
        #expect(errors.split(separator: "\n").last?.hasPrefix("Error: ") == true, "\(errors)")
        #expect(!errors.contains("process died"))
    }
}
