import Booking
import Edge
import Links
import Node
import Wire

/// When more is asked than can be done: what clients are told that have to come again.
extension GatewayServer {
    /// What a poll, a join or a reservation is worth that would be refused: told by its concert alone, before its token or its body is
    /// checked, which would cost more than all the rest. Nil for what the router has to read.
    func worthToShed(_ request: HTTPRequest) -> Worth? {
        guard let (concert, worth) = Router.glance(request) else { return nil }
        return self.node.sheds(worth, of: concert) ? worth : nil
    }

    /// Counts one that is shed, and gives its answer.
    func shed(_ worth: Worth, _ client: Gateway.Client) -> ReadyAnswer {
        let answer = self.shedAnswers.answer(worth, AnswerWriter.Manner(note: client.note))
        self.http.noteShed(worth)
        self.note(.serviceUnavailable, bytes: answer.bytes.count, to: client)
        return answer
    }
}
