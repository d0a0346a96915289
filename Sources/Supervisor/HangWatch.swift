/// Finds hung processes: alive, but their loops do not turn. Each process is pinged once a second, and the count of
/// unanswered pings decides, not the delay. So if the supervisor did not run either, as when the machine slept, nothing
/// counts against any process. Pure.
///
///     left alone ──ready, or an answer──▶ watched ──asked `limit` times without an answer──▶ hangs
///         ▲                                  └──"busy"──▶ left alone
///         └── its end
///
/// A process is watched only once it is ready: a start has a limit of its own. Processes of older programs, which do
/// not know the ping, are never watched.
struct HangWatch {
    typealias Member = Supervision.Member

    /// Pings since each watched process's last answer.
    private var unanswered: [Member: Int] = [:]

    /// `members` are about to be pinged. Returns those pinged `limit` times, and stops watching them; 0 is no limit.
    mutating func ask(_ members: [Member], limit: Int) -> [Member] {
        var hanging: [Member] = []
        for member in members {
            guard let count = self.unanswered[member] else { continue }
            self.unanswered[member] = count + 1
            guard limit > 0, count >= limit else { continue }
            hanging.append(member)
            self.unanswered[member] = nil
        }
        return hanging
    }

    mutating func answered(_ member: Member) { self.unanswered[member] = 0 }

    /// The process announced that it will not answer for a while, or it is gone.
    mutating func leaveAlone(_ member: Member) { self.unanswered[member] = nil }
}
