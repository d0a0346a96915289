import Booking
import Edge
import Links
import Wire

/// When more is asked than can be done: how it is noticed, and what is told to those who have to come again.
extension GatewayServer {
    // MARK: Noticing

    /// Requests are about to leave for a shard: a ping goes with them where the last one is over.
    func measure(_ link: FrameLink, to shard: Int) {
        guard !self.pulses.isEmpty else { return }
        let now = self.http.moment
        switch self.pulses[shard].step(at: now, inFlight: self.machine.inFlightCount(of: shard)) {
        case .none: break
        case .send: self.ping(link)
        case .stillOut(let delay): self.takeDelay(delay, isOver: false, shard, now)
        }
    }

    private func ping(_ link: FrameLink) {
        do { try Control.ping.encode(into: &link.outgoing, requestID: 0) } catch {
            preconditionFailure("a ping that does not fit: \(error)")
        }
    }

    func measured(_ shard: Int) {
        guard !self.pulses.isEmpty else { return }
        // From the start of the turn in which it left, so that the gateway's own turns count, to now.
        let now = Self.steadyTime
        guard let delay = self.pulses[shard].isBack(at: now) else { return }
        self.takeDelay(delay, isOver: true, shard, now)
    }

    private func takeDelay(_ delay: Nanoseconds, isOver: Bool, _ shard: Int, _ now: Timestamp) {
        let then = self.pulses[shard].inFlight
        self.machine.takeDelay(delay, isOver: isOver, inFlightThen: then, of: shard, at: now)
    }

    // MARK: Shedding

    /// What a poll, a join or a reservation is worth that would be refused: told by its concert alone, before its token or its body is
    /// checked, which would cost more than all the rest. Nil for what the router has to read.
    func worthToShed(_ request: HTTPRequest) -> Worth? {
        guard let (concert, worth) = Router.glance(request) else { return nil }
        return self.machine.sheds(worth, of: concert) ? worth : nil
    }

    /// Counts one that is shed, and gives its answer.
    func shed(_ worth: Worth, _ client: Gateway.Client) -> ReadyAnswer {
        let answer = self.shedAnswers.answer(worth, AnswerWriter.Manner(note: client.note))
        self.http.noteShed(worth)
        self.note(.serviceUnavailable, bytes: answer.bytes.count, to: client)
        return answer
    }
}
