import Booking
import Testing
import Wire

/// The fast classification of a request under overload.
@Suite struct RouterGlanceTests {
    private struct Glance: Equatable {
        let concert: UInt64
        let priority: RequestPriority
    }

    private static func glance(_ method: String, _ target: String, _ body: String, _ header: String = "") -> Glance? {
        var parser = HTTPRequestParser()
        let text =
            "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(header)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        return Array(text.utf8).withUnsafeBytes { bytes in
            parser.feed(bytes)
            guard case .request(let request) = parser.next(), let (concert, priority) = Router.glance(request) else {
                return nil
            }
            return Glance(concert: concert.rawValue, priority: priority)
        }
    }

    @Test func `polls, joins and reservations are known by their concert`() {
        let poll = Self.glance("GET", "/api/v1/waiting?concertId=12", "")
        #expect(poll == Glance(concert: 12, priority: .asking))
        #expect(Self.glance("GET", "/api/v1/waiting?concertId=7&x=1", "") == Glance(concert: 7, priority: .asking))
        let join = Self.glance("POST", "/api/v1/waiting", #"{"concertId":3,"userId":1}"#)
        #expect(join == Glance(concert: 3, priority: .joining))
        let reservation = #"{"concertId":3,"concertScheduleId":1,"seatIds":[1]}"#
        #expect(Self.glance("POST", "/api/v1/reservation", reservation) == Glance(concert: 3, priority: .booking))
        // With a key it may go to another shard first.
        #expect(Self.glance("POST", "/api/v1/reservation", reservation, "Idempotency-Key: \"a\"\r\n") == nil)
    }

    @Test(arguments: [
        ("GET", "/api/v1/waiting", ""), ("GET", "/api/v1/waiting?concertId=", ""),
        ("GET", "/api/v1/waiting?concertId=0", ""), ("GET", "/api/v1/waiting?concertId=1x", ""),
        ("GET", "/api/v1/waiting?concertId=12345678901234567", ""), ("HEAD", "/api/v1/waiting?concertId=1", ""),
        ("DELETE", "/api/v1/waiting?concertId=1", ""), ("POST", "/api/v1/waiting", #"{ "concertId":3}"#),
        ("POST", "/api/v1/waiting", #"{"concertId":"3"}"#), ("POST", "/api/v1/waiting", ""),
        ("POST", "/api/v1/payment", #"{"concertId":3}"#), ("DELETE", "/api/v1/reservation", #"{"concertId":3}"#),
        ("GET", "/api/v1/reservation?concertId=1", ""),
    ])
    func `all else is the router's`(method: String, target: String, body: String) {
        #expect(Self.glance(method, target, body) == nil)
    }
}
