/// A failure of a journal, in words for the operator.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another owner has appended, or this batch came twice: the caller must stop.
    case outOfSequence(expected: UInt64, got: UInt64)
    /// A later owner has taken the journal over: the caller must stop.
    case notOwner(file: String)
    /// Another process owns the journal; its id, if it could be read.
    case inUse(file: String, by: Int32?)

    /// The disk or the quota is full. Nothing of the batch was kept, and the same batch may be retried.
    case full(file: String)
    /// A read or write failed. Nothing of the batch was kept, and the same batch may be retried.
    case inputOutput(file: String, code: Int32, message: String)
    /// Another process held the file for longer than the owner waits. The same batch may be retried.
    case busy(file: String)

    /// The journal was altered, truncated or damaged. Nothing of it is skipped, so it can't be continued.
    case damaged(JournalDamage)
    /// The same for a copy: its files are of different moments.
    case torn(JournalDamage)
    /// An intact fact that the replaying shard can't apply.
    case unusable(sequence: UInt64, reason: String)
    /// Written by a newer version of Usher.
    case newer(file: String, version: Int, newest: Int)
    /// This shard had a journal in this state folder, and its file is gone; how that is known.
    case missing(shard: Int, state: String, file: String, evidence: String)
    /// Not a journal, or another shard's.
    case foreign(file: String, reason: String)
    /// A file that belongs to another user, or that others may write to; the remedy.
    case untrusted(file: String, reason: String, remedy: String)
    /// The system allows no more threads, and a journal needs two.
    case noThread(reason: String)
    /// A system call or SQLite failed in a way that a retry does not help.
    case failed(file: String, call: String, message: String)

    /// Whether the same batch may be retried, as when space is back.
    public var isPassing: Bool {
        switch self {
        case .full, .inputOutput, .busy: true
        case .outOfSequence, .notOwner, .inUse, .damaged, .torn, .unusable, .newer, .missing, .foreign,
            .untrusted, .noThread, .failed:
            false
        }
    }

    public var description: String {
        switch self {
        case .outOfSequence(let expected, let got):
            "the journal continues at fact \(expected), but was given fact \(got): another process owns it now"
        case .notOwner(let file): "\(file) was taken over by a later owner: this process must stop"
        case .inUse(let file, let holder):
            "\(file) is in use" + (holder.map { " by process \($0)" } ?? "") + ": a journal has one owner at a time"
        case .full(let file): "\(file) can't grow: the disk is full"
        case .inputOutput(let file, let code, let message): "\(file): \(message) (SQLite code \(code))"
        case .busy(let file): "\(file) was held by another process for too long"
        case .damaged(let damage): "\(damage)"
        case .torn(let damage):
            "\(damage.file) belongs to a torn copy, whose files are of different moments: at fact \(damage.sequence): "
                + damage.reason
        case .unusable(let sequence, let reason): "fact \(sequence) can't be applied: \(reason)"
        case .newer(let file, let version, let newest):
            "\(file) has schema version \(version), and this binary knows versions up to \(newest): run a newer usher"
        case .missing(let shard, _, let file, let evidence):
            "the journal of shard \(shard) is missing: \(file) is not there, but \(evidence)"
        case .foreign(let file, let reason): "\(file) \(reason)"
        case .untrusted(let file, let reason, _): "\(file) \(reason)"
        case .noThread(let reason): "the journal needs two threads of its own, and the system refuses one: \(reason)"
        case .failed(let file, let call, let message): "\(file): \(call): \(message)"
        }
    }
}

/// Where a journal is damaged, how it was detected, and the command that tells more.
public struct JournalDamage: Equatable, Sendable, CustomStringConvertible {
    public let file: String
    /// The first fact that can't be trusted.
    public let sequence: UInt64
    public let reason: String
    public let command: String

    public init(file: String, sequence: UInt64, reason: String, command: String) {
        self.file = file
        self.sequence = sequence
        self.reason = reason
        self.command = command
    }

    /// The problem without the remedy.
    public var problem: String { "\(self.file) is damaged at fact \(self.sequence): \(self.reason)" }

    public var description: String { "\(self.problem); \(self.command) tells more" }
}
