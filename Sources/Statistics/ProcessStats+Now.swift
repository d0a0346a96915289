import Configuration
import Glibc
import Reactor
import StandardStreams

extension ProcessStats {
    /// This process's resource use so far. `startedNanoseconds` is `Clock.monotonicNanoseconds()` at its start. Three
    /// system calls.
    public static func now(startedNanoseconds: UInt64) -> ProcessStats {
        var stats = ProcessStats()
        stats.pid = getpid()
        stats.uptimeSeconds = Double(Clock.monotonicNanoseconds() - startedNanoseconds) / 1e9
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            stats.cpuUserSeconds = Self.seconds(usage.ru_utime)
            stats.cpuSystemSeconds = Self.seconds(usage.ru_stime)
        }
        // The second number is the resident set, in pages (proc(5)). Where there is no /proc it stays 0.
        if let text = try? TextFile.read("/proc/self/statm") {
            let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
            if fields.count > 1, let pages = UInt64(fields[1]) { stats.residentBytes = pages * UInt64(getpagesize()) }
        }
        stats.logLinesDropped = StandardError.droppedLines
        return stats
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
