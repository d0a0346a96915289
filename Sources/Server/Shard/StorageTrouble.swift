import Booking
import Journal
import JournalHistory
import Logging
import Reactor

/// A journal that can't write for now: when that began and why, and a try every second whether it is over. The one place
/// that logs of it.
///
///     none ──began──▶ every second a try ──it can write──▶ none
///                           └──still not──┘
final class StorageTrouble {
    /// A probe costs one page and a sync; people who are told to come back do so after some seconds.
    static let pauseMilliseconds: UInt64 = 1_000

    /// Nil while all is well.
    private(set) var since: Timestamp?
    private(set) var reason: String?
    /// How often there was trouble since the start of the process.
    private(set) var count: UInt64 = 0

    private let log: Logger
    private let timer: LoopTimer
    private var begunAt: UInt64 = 0

    init(on loop: EventLoop, log: Logger) {
        self.timer = LoopTimer(on: loop)
        self.log = log
    }

    /// `tryAgain` is called every second until `ended`.
    func began(_ error: JournalError, at now: Timestamp, sequence: UInt64, tryAgain: @escaping () -> Void) {
        self.since = now
        self.reason = "\(error)"
        self.count += 1
        self.begunAt = Clock.monotonicNanoseconds()
        self.log.error(
            "the journal can't write: changes are refused until it can, reading works",
            metadata: [
                "reason": "\(error)", "sequence": "\(sequence)", "remedy": "\(JournalKeeper.remedy(for: error))",
            ]
        )
        self.timer.start(afterMilliseconds: Self.pauseMilliseconds, everyMilliseconds: Self.pauseMilliseconds, tryAgain)
    }

    /// A try has failed: maybe for another reason than before.
    func goesOn(_ error: JournalError) {
        let reason = "\(error)"
        guard self.since != nil, self.reason != reason else { return }
        self.reason = reason
        self.log.error("the journal still can't write", metadata: ["reason": "\(reason)"])
    }

    func ended() {
        self.timer.stop()
        self.since = nil
        self.reason = nil
        let lasted = (Clock.monotonicNanoseconds() - self.begunAt) / 1_000_000
        self.log.warning("the journal can write again: changes are accepted", metadata: ["lasted_ms": "\(lasted)"])
    }

    func close() { self.timer.close() }
}
