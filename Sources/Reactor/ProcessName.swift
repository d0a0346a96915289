import Glibc

/// The short name of a process in `ps -e`, `top` and `pgrep`: children are started through /proc/self/exe, and would
/// all be called "exe".
public enum ProcessName {
    /// Cut to 15 bytes by the kernel (proc(5)). Has no effect without /proc.
    public static func set(_ name: String) {
        let descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        let bytes = Array(name.utf8)
        write(descriptor, bytes, bytes.count)
        close(descriptor)
    }
}
