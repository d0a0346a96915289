import Booking
import Edge
import Links
import Node
import Wire

/// When more is asked than can be done: what clients are told that have to come again.
extension GatewayServer {
    /// What a poll, a join or a reservation is worth that would be refused: told by its concert alone, before its token or its body is
    /// checked, which would cost more than all the rest. Nil for what the router has to read.
    func priorityToShed(_ request: HTTPRequest) -> RequestPriority? {
        guard let (concert, priority) = Router.glance(request) else { return nil }
        return self.node.sheds(priority, of: concert) ? priority : nil
    }

    /// Counts one that is shed, and gives its answer.
    func shed(_ priority: RequestPriority, _ client: Gateway.Client) -> ReadyAnswer {
        let answer = self.shedAnswers.answer(priority, AnswerWriter.ResponseOptions(bits: client.responseOptions))
        self.http.noteShed(priority)
        self.note(.serviceUnavailable, bytes: answer.bytes.count, to: client)
        return answer
    }
}
