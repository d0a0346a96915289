import TestSupport
import Testing

/// Requests that no well-meaning client sends, over real sockets: each gets its exact status and code, and the cluster
/// goes on serving, on the same connection where it lives and on a new one where it does not.
@Suite(.cluster("--shards", "2")) struct HostileRequestsTests {
    private static var port: Int { ServedCluster.shared.port }
    private static let good = BookingClient.request("GET", "/api/v1/point?userId=1")

    @Test func `what is not HTTP is refused, and the connection is closed`() throws {
        for hostile in HostileRequest.all {
            let connection = try TestConnection(port: Self.port)
            // A good request in front gets its answer first, and one behind is never read.
            try connection.send(Array(Self.good.utf8) + hostile.bytes + Array(("\r\n\r\n" + Self.good).utf8))
            #expect(try connection.answer().status == 200, "\(hostile)")
            let answer = try connection.answer()
            #expect(answer.status == hostile.status && answer.code == hostile.code, "\(hostile): \(answer)")
            #expect(answer.closes && answer.json.shape == "{code: string, message: string}", "\(hostile)")
            #expect(try connection.endsClean(), "\(hostile)")
            #expect(try ServedCluster.shared.client.balance(1).status == 200, "\(hostile)")
        }
    }

    @Test func `what is not the contract is refused, and the connection lives on`() throws {
        #expect(HostileCall.all.count >= 150)
        #expect(Set(HostileCall.all.map(\.name)).count == HostileCall.all.count)
        let client = try BookingClient.keeping(port: Self.port)
        let connection = try #require(client.connection)
        let token = try client.enter(1, 7)
        for hostile in HostileCall.all {
            let headers = hostile.headers.map { $0.replacing("{good}", with: token) }
            let bytes = HostileCall.withHeaders(hostile, headers).bytes
            try connection.send(bytes + Array(Self.good.utf8))
            let answer = try connection.answer()
            #expect(answer.status == hostile.status && answer.code == hostile.code, "\(hostile): \(answer)")
            #expect(answer.json.shape == "{code: string, message: string}", "\(hostile): \(answer)")
            #expect(!answer.closes, "\(hostile)")
            #expect(try connection.answer().json["userId"] == 1, "\(hostile)")
        }
        // Nothing of all this has changed anything.
        #expect(try client.seats(1, 1).json.list.allSatisfy { $0["seatStatus"] == "AVAILABLE" })
        #expect(try client.balance(1).json["balance"] == 0)
        #expect(try client.poll(1, token).json["remainingWaitingOrder"] == 0)
    }

    @Test func `no byte of a token can be changed`() throws {
        let client = try BookingClient.keeping(port: Self.port)
        let token = try client.enter(2, 8)
        for index in token.indices {
            for replacement in ["A", "B", "-", "_", "9"] where token[index...].prefix(1) != replacement {
                let forged = token.replacingCharacters(at: index, with: replacement)
                #expect(try client.poll(2, forged).code == "TOKEN_NOT_FOUND", "\(forged)")
            }
        }
        #expect(try client.poll(2, token).status == 200)
    }
}

extension HostileCall {
    /// The same call with other headers.
    static func withHeaders(_ call: HostileCall, _ headers: [String]) -> HostileCall {
        var call = call
        call.headers = headers
        return call
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with text: String) -> String {
        String(self[..<index]) + text + String(self[self.index(after: index)...])
    }
}
