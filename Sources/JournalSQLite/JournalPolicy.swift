/// When a batch counts as kept.
public enum JournalPolicy: Equatable, Sendable {
    /// Once it is on the disk. Survives the end of the process, a kernel crash and a power failure.
    case commit
    /// At once; it is on the disk within this time.
    case interval(milliseconds: Int)
    /// At once; it is on the disk when the kernel writes it.
    case none

    /// The interval that `journal.policy` interval means: a tenth of a second of answers may be lost, and at ten commits a
    /// second the disk costs nothing that could be measured.
    public static let intervalMilliseconds = 100

    /// The risk, for the log at the start; nil without any.
    public var risk: String? {
        switch self {
        case .commit: nil
        case .interval(let milliseconds):
            "up to \(milliseconds) ms of confirmed bookings are lost when the machine or its power fails: "
                + "paid seats may be sold again; a process that dies loses nothing"
        case .none:
            "confirmed bookings are lost when the machine or its power fails, and the journal may be damaged "
                + "beyond use; a process that dies loses nothing"
        }
    }
}
