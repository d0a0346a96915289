import FoundationEssentials
import Glibc
import Wire

/// The CPU time of processes by the kernel's own account (proc(5), schedstat), in nanoseconds; the usual user and
/// system times are counted in hundredths of a second.
enum ProcessCPU {
    /// The sum over all live threads.
    static func nanoseconds(of pid: Int32) throws -> UInt64 {
        let folder = "/proc/\(pid)/task"
        guard let threads = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw WireError("there is no process \(pid)")
        }
        return threads.reduce(0) { $0 + (Self.first("\(folder)/\($1)/schedstat") ?? 0) }
    }

    /// Of this process.
    static var own: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func first(_ path: String) -> UInt64? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return nil }
        return UInt64(String(decoding: line.map(UInt8.init(bitPattern:)).prefix { $0 > 0x20 }, as: UTF8.self))
    }
}
