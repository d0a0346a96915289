import Booking
import Foundation
import Glibc
import Journal
import Testing

@testable import JournalSQLite

/// Files of a journal that others could have changed are not trusted.
@Suite struct JournalTrustTests {
    private let state = TemporaryState()
    private var files: JournalFiles { self.state.files }

    /// The kinds of files of a compacted journal.
    private func paths() -> [String] {
        [
            self.files.directory, self.files.database, "\(self.files.database)-wal", "\(self.files.database)-shm",
            self.files.snapshot, self.files.head, self.files.archive, self.files.lock, self.files.compactionLock,
        ]
    }

    private func make() throws {
        mkdir(self.files.directory, 0o700)
        for path in self.paths().dropFirst() {
            close(open(path, O_RDWR | O_CREAT, 0o600))
        }
    }

    private func refusal(_ access: JournalFiles.Access = .owner) -> JournalError? {
        do throws(JournalError) {
            try self.files.refuseUntrusted(access)
            return nil
        } catch { return error }
    }

    @Test func `files that others may write to are refused, each of them, and those they may read are not`() throws {
        try self.make()
        #expect(self.refusal() == nil)
        for path in self.paths() {
            let mode: mode_t = path == self.files.directory ? 0o700 : 0o600
            for open: mode_t in [0o020, 0o002] {
                chmod(path, mode | open)
                for access in [JournalFiles.Access.owner, .reader] {
                    guard case .untrusted(path, let reason, let remedy) = self.refusal(access) else {
                        Issue.record("\(path) is taken")
                        continue
                    }
                    #expect(reason.hasPrefix("may be written by others (mode \(String(mode | open, radix: 8)))"))
                    #expect(remedy == "chmod go-w \(path), and verify the journal: \(self.files.verifyCommand)")
                }
            }
            chmod(path, mode | 0o044)
            #expect(self.refusal() == nil)
            chmod(path, mode)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func `files of another user are refused, and root may read them`() throws {
        try self.make()
        for path in self.paths() {
            chown(path, 12_345, 12_345)
            guard case .untrusted(path, let reason, let remedy) = self.refusal() else {
                Issue.record("\(path) is taken")
                continue
            }
            #expect(reason == "belongs to user 12345, and this is user 0")
            #expect(remedy.hasPrefix("run as its owner, or chown 0 \(path)"))
            #expect(self.refusal(.reader) == nil)
            chown(path, 0, 0)
        }
    }

    @Test func `what is no file is refused, and does not make anybody wait`() throws {
        try self.make()
        unlink(self.files.head)
        mkfifo(self.files.head, 0o600)
        guard case .untrusted(self.files.head, "is no regular file", _) = self.refusal() else {
            Issue.record("a pipe is taken for a head")
            return
        }
    }

    @Test func `a link is as good as what it leads to`() throws {
        try self.make()
        let elsewhere = "\(self.state.path)/elsewhere"
        rename(self.files.snapshot, elsewhere)
        symlink(elsewhere, self.files.snapshot)
        #expect(self.refusal() == nil)
        chmod(elsewhere, 0o666)
        #expect(self.refusal() != nil)
    }

    @Test func `neither an owner nor a reader takes such a journal, and nothing of it is changed`() throws {
        try TestOwner.write(self.files, batches: 3)
        chmod(self.files.head, 0o666)
        #expect(throws: JournalError.self) { try TestOwner(self.files) }
        #expect(throws: JournalError.self) { try SQLiteArchive(self.files) }
        #expect(throws: JournalError.self) {
            try self.files.makeAnew(
                TestOwner.origin,
                beginningWith: JournalSnapshot(sequence: 0, time: Timestamp(seconds: 1), bytes: [])
            )
        }
        var status = stat()
        stat(self.files.head, &status)
        #expect(status.st_mode & 0o777 == 0o666)
        chmod(self.files.head, 0o600)
        #expect(try batches(self.files).count == 3)
    }
}
