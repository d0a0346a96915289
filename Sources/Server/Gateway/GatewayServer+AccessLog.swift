import Booking
import Edge
import Node
import Wire

/// What the access log is told. Nothing is done while there is none.
extension GatewayServer {
    /// The request at hand, before anything is known of it but its head.
    func noteRequest(_ request: HTTPRequest) {
        guard self.accessLog != nil else { return }
        self.logEntry = AccessLog.Entry(call: Router.name(of: request), at: Self.steadyTime)
    }

    /// A request that never became one: not HTTP, too large, too slow.
    func noteUnreadable() {
        guard self.accessLog != nil else { return }
        self.logEntry = AccessLog.Entry(call: "unreadable", at: Self.steadyTime)
    }

    /// A request that a shard has answered, or should have.
    func noteRequest(_ pending: Gateway.Pending) {
        guard self.accessLog != nil else { return }
        let shard = self.node.gateway.slots.shard(of: pending.request.slot)
        self.logEntry = AccessLog.Entry(call: pending.request.kind.name, at: pending.sentAt, shard: shard)
    }

    func log(_ status: HTTPStatus, bytes: Int, to client: Gateway.Client) {
        guard let accessLog = self.accessLog else { return }
        let method = AnswerWriter.ResponseOptions(bits: client.responseOptions).method
        let address = self.http.address(of: client)
        let count = bytes + self.http.crossOrigin.lines(client.responseOptions).count
        accessLog.append(self.logEntry, status, method, bytes: count, client: address, at: Self.steadyTime)
    }
}
