import Glibc
import Logging

/// How the kernel shares a core between Usher's processes.
///
/// A gateway that writes a batch to a shard wakes it. Under the kernel's normal policy the shard then often takes the core
/// from the gateway in mid-turn, answers the few requests that it was given, and goes to sleep again: the smaller the
/// batches, the more each request costs. Under the batch policy (sched(7), SCHED_BATCH) a process that wakes waits until
/// the one that runs has finished its turn, or used up its slice; a core that is idle is used at once, as ever. Measured
/// on two cores with 64 connections and 4 shards: 13 requests a wake-up rather than 6, and 9.9 us of CPU a poll rather than
/// 12.2 (`make bench`); with a new connection for each request (`make k6`) half to two thirds of the CPU. At half of
/// the capacity a poll's p99 was 1.48 times nginx's, and 1.42 times with the normal policy: no reason for a setting.
enum Scheduling {
    /// SCHED_BATCH of linux/sched.h; Swift's Glibc leaves it out.
    private static let batchPolicy: Int32 = 3

    /// For this thread and the threads that it starts. One system call. A kernel or a container that refuses leaves the
    /// normal policy, which costs speed and nothing else.
    static func useBatches(log: Logger? = nil) {
        var parameters = sched_param(sched_priority: 0)
        guard sched_setscheduler(0, Self.batchPolicy, &parameters) != 0 else { return }
        log?.warning(
            "the kernel refuses batch scheduling, so requests cost more CPU",
            metadata: ["reason": "\(String(cString: strerror(errno)))"]
        )
    }
}
