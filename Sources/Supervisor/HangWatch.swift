/// Finds processes that hang: alive, and their loops do not turn. Each is asked once a second, and what counts is how often
/// it has not answered, not how late it is. So a supervisor that did not run either, as the whole machine slept, counts
/// nothing against anybody. Pure.
///
///     left alone ──ready, or an answer──▶ watched ──asked `limit` times without an answer──▶ hangs
///         ▲                                  └──"busy"──▶ left alone
///         └── its end
///
/// Nobody is watched before it is ready: a start has a limit of its own. Nor is who does not know the question, being of an
/// older program.
struct HangWatch {
    typealias Member = Supervision.Member

    /// How often each has been asked since its last answer; nobody who is left alone.
    private var unanswered: [Member: Int] = [:]

    /// `members` are about to be asked. Gives those that were asked `limit` times, and forgets them; 0 is no limit.
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

    /// It has said that it will not answer for a while, or it is gone.
    mutating func leaveAlone(_ member: Member) { self.unanswered[member] = nil }
}
