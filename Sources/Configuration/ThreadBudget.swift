import Glibc
public import Reactor

/// The message where the system allows too few processes and threads: a process that needs one more would otherwise be
/// aborted by a library, repeatedly and without a reason.
public enum ThreadBudget {
    /// What an operator does about it.
    public static let remedy =
        "raise the limit of processes and threads of this user (ulimit -u; LimitNPROC and TasksMax of a systemd unit; the pids "
        + "limit of a container)"

    /// Why a process or thread could not be created.
    public static func words(_ error: UVError) -> String {
        error.code == -EAGAIN
            ? "the system allows no more processes and threads (\(error)); \(Self.remedy)" : "\(error)"
    }
}
