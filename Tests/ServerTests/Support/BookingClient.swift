import Testing

/// The calls of the contract, as a client makes them: over a new connection for each, or over one that stays.
struct BookingClient {
    let port: Int
    /// Nil makes a new connection for every call.
    var connection: TestConnection?

    init(port: Int) { self.port = port }

    /// A client that keeps one connection.
    static func keeping(port: Int) throws -> BookingClient {
        var client = BookingClient(port: port)
        client.connection = try TestConnection(port: port)
        return client
    }

    // MARK: Any call

    func call(
        _ method: String,
        _ target: String,
        token: String? = nil,
        body: String? = nil,
        _ headers: [String] = []
    ) throws -> Answer {
        let connection = try self.connection ?? TestConnection(port: self.port)
        try connection.send(Self.request(method, target, token: token, body: body, headers))
        return try connection.answer(toHead: method == "HEAD")
    }

    /// The bytes of a request. `headers` are whole lines without their ends.
    static func request(
        _ method: String,
        _ target: String,
        token: String? = nil,
        body: String? = nil,
        _ headers: [String] = []
    ) -> String {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1"]
        if let token { lines.append("X-Concert-Token: \(token)") }
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    // MARK: The contract's calls

    func join(_ concert: Int, _ user: Int) throws -> Answer {
        try self.call("POST", "/api/v1/waiting", body: #"{"concertId":\#(concert),"userId":\#(user)}"#)
    }

    func poll(_ concert: Int, _ token: String) throws -> Answer {
        try self.call("GET", "/api/v1/waiting?concertId=\(concert)", token: token)
    }

    func leave(_ concert: Int, _ token: String) throws -> Answer {
        try self.call("DELETE", "/api/v1/waiting?concertId=\(concert)", token: token)
    }

    func schedules(_ concert: Int) throws -> Answer {
        try self.call("GET", "/api/v1/concert/schedules?concertId=\(concert)")
    }

    func seats(_ concert: Int, _ schedule: Int) throws -> Answer {
        try self.call("GET", "/api/v1/concert/seats?concertId=\(concert)&concertScheduleId=\(schedule)")
    }

    func reserve(_ concert: Int, _ schedule: Int, _ seats: [Int], _ token: String?) throws -> Answer {
        let body = #"{"concertId":\#(concert),"concertScheduleId":\#(schedule),"seatIds":\#(seats)}"#
        return try self.call("POST", "/api/v1/reservation", token: token, body: body)
    }

    func release(_ concert: Int, _ reservations: [Int64], _ token: String?) throws -> Answer {
        let body = #"{"concertId":\#(concert),"reservationIds":\#(reservations)}"#
        return try self.call("DELETE", "/api/v1/reservation", token: token, body: body)
    }

    func reservations(_ concert: Int, _ user: Int) throws -> Answer {
        try self.call("GET", "/api/v1/reservation?concertId=\(concert)&userId=\(user)")
    }

    func pay(_ concert: Int, _ reservations: [Int64], _ token: String?) throws -> Answer {
        let body = #"{"concertId":\#(concert),"reservationIds":\#(reservations)}"#
        return try self.call("POST", "/api/v1/payment", token: token, body: body)
    }

    func cancel(_ concert: Int, _ user: Int, _ reservations: [Int64]) throws -> Answer {
        let body = #"{"concertId":\#(concert),"userId":\#(user),"reservationIds":\#(reservations)}"#
        return try self.call("POST", "/api/v1/reservation/cancel", body: body)
    }

    func charge(_ user: Int, _ amount: Int) throws -> Answer {
        try self.call("POST", "/api/v1/point/charge?userId=\(user)&amount=\(amount)")
    }

    func use(_ user: Int, _ amount: Int) throws -> Answer {
        try self.call("POST", "/api/v1/point/use?userId=\(user)&amount=\(amount)")
    }

    func balance(_ user: Int) throws -> Answer { try self.call("GET", "/api/v1/point?userId=\(user)") }

    func history(_ user: Int, _ more: String = "") throws -> Answer {
        try self.call("GET", "/api/v1/point-history?userId=\(user)\(more)")
    }

    // MARK: Steps that tests start from

    /// Joins and waits to be let in; the token.
    func enter(_ concert: Int, _ user: Int) throws -> String {
        let token = try #require(try self.join(concert, user).json["tokenId"].string)
        try TestCluster.eventually("user \(user) is let in to concert \(concert)") {
            try self.poll(concert, token).json["remainingWaitingOrder"] == 0
        }
        return token
    }
}
