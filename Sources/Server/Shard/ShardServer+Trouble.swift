import Booking
import Journal
import JournalHistory
import Links
import Wire

/// What a shard's shell does when its journal can't write for now, and when it can again.
///
/// **In.** The journal refuses a batch ▶ everyone who waits is told that nobody knows what came of it; transfers that wait are
/// forgotten, those that are owed are asked for again later ▶ the state is built anew from the journal, by the code of a
/// restart (0.3 s with a million people waiting) ▶ requests are only read from that state, and the tick stands.
///
/// **From the start.** A disk may be full already when a shard starts: it goes on from here.
///
/// **Out.** A try each second begins a new epoch in the journal ▶ time has passed, as after a restart ▶ all as before.
///
/// **When it fails.** A state that can't be built anew ends the process; the supervisor starts it again, after pauses.
extension ShardServer {
    /// Gives the last fact of the state.
    func undo(_ error: JournalError) throws(JournalError) -> UInt64 {
        self.answerAllWhoWait(with: Reply.unanswered)
        let answers = self.machine.answersGiven
        let report = try self.rebuild()
        self.machine.doubt(answers)
        self.trouble.began(error, at: self.now, sequence: report.sequence) { [unowned self] in self.tryAgain() }
        return report.sequence
    }

    /// The journal could not even say that it has a new owner: what it holds is served, and the rest waits.
    func startSuspended(_ error: JournalError) {
        self.trouble.began(error, at: self.now, sequence: self.commit.durableSequence) { [unowned self] in
            self.tryAgain()
        }
    }

    private func answerAllWhoWait(with reply: Reply) {
        for late in self.machine.takeWaiters(telling: reply) {
            guard let peer = self.peers[late.origin.link] else { continue }
            self.gather(late.reply, to: late.kind, slot: Slot(checking: 0)!, late.origin.request, for: peer)
        }
        for peer in self.peers.values {
            var frames = FrameBytes()
            do throws(WireError) {
                try reply.encode(inPlaceOf: peer.committing, into: &frames)
                try reply.encode(inPlaceOf: peer.gathering, into: &frames)
            } catch {
                preconditionFailure("a reply that was encoded can't be read: \(error)")
            }
            peer.committing.removeAll()
            peer.gathering.removeAll()
            if !frames.isEmpty { peer.link.send(frames) }
        }
        self.gatheringTransfers.removeAll()
        self.committingTransfers.removeAll()
        // All that was begun is answered by now, in two batches.
        for _ in 0..<2 {
            self.meter.setAside()
            self.meter.sent()
        }
    }

    private func tryAgain() {
        self.commit.tryAgain { [unowned self] error in
            if let error { return self.trouble.goesOn(error) }
            let now = self.now
            self.machine.resume(at: now)
            self.trouble.ended()
        }
    }
}
