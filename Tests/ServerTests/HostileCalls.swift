/// One well-formed HTTP request whose query, body or token is not what the contract's call takes, and its answer. The
/// connection lives on after each.
struct HostileCall: Sendable, CustomStringConvertible {
    let name: String
    let method: String
    let target: String
    var body: [UInt8]?
    var headers: [String] = []
    let status: Int
    let code: String

    var description: String { self.name }

    var bytes: [UInt8] {
        var lines = ["\(self.method) \(self.target) HTTP/1.1", "Host: a"] + self.headers
        if let body = self.body { lines.append("Content-Length: \(body.count)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (self.body ?? [])
    }

    static let all = bodies + numbers + fields + nesting + texts + lists + queries + escapes + tokens

    /// A join with this body.
    private init(_ name: String, _ body: String, _ code: String) { self.init(name, bytes: Array(body.utf8), code) }

    private init(_ name: String, bytes: [UInt8], _ code: String) {
        self.init(name, "POST", "/api/v1/waiting", bytes, [], 400, code)
    }

    private init(
        _ name: String,
        _ method: String,
        _ target: String,
        _ body: [UInt8]?,
        _ headers: [String],
        _ status: Int,
        _ code: String
    ) {
        self.name = name
        self.method = method
        self.target = target
        self.body = body
        self.headers = headers
        self.status = status
        self.code = code
    }

    private static func get(_ name: String, _ target: String, _ status: Int, _ code: String) -> HostileCall {
        HostileCall(name, "GET", target, nil, [], status, code)
    }

    private static func charge(_ name: String, _ query: String, _ code: String) -> HostileCall {
        HostileCall(name, "POST", "/api/v1/point/charge?\(query)", nil, [], 400, code)
    }

    /// A join whose concert is written like this.
    private static func concert(_ name: String, _ number: String, _ code: String) -> HostileCall {
        HostileCall(name, #"{"concertId":\#(number),"userId":1}"#, code)
    }

    private static func deep(_ levels: Int, _ open: String, _ close: String, inside: String = "") -> String {
        #"{"concertId":1,"userId":1,"x":"#
            + String(repeating: open, count: levels) + inside + String(repeating: close, count: levels) + "}"
    }

    private static let bodies = [
        HostileCall("no body", "POST", "/api/v1/waiting", nil, [], 400, "BODY_EMPTY"),
        HostileCall("an empty body", "", "BODY_EMPTY"),
        HostileCall("a body of white space", " \r\n\t ", "BODY_EMPTY"),
        HostileCall("a byte order mark", "\u{FEFF}{}", "JSON_BYTE_ORDER_MARK"),
        HostileCall("a byte order mark alone", "\u{FEFF}", "JSON_BYTE_ORDER_MARK"),
        HostileCall("UTF-16", bytes: [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], "JSON_INVALID"),
        HostileCall("UTF-16 without a mark", bytes: [0x7B, 0x00, 0x7D, 0x00], "JSON_INVALID"),
        HostileCall("NUL", bytes: [0], "JSON_INVALID"),
        HostileCall("a form", "concertId=1&userId=1", "JSON_INVALID"),
        HostileCall("XML", "<concertId>1</concertId>", "JSON_INVALID"),
        HostileCall("an array", #"[{"concertId":1,"userId":1}]"#, "JSON_NOT_OBJECT"),
        HostileCall("a string", #""concertId""#, "JSON_NOT_OBJECT"),
        HostileCall("a number", "1", "JSON_NOT_OBJECT"),
        HostileCall("null", "null", "JSON_NOT_OBJECT"),
        HostileCall("true", "true", "JSON_NOT_OBJECT"),
        HostileCall("an open brace", "{", "JSON_INVALID"),
        HostileCall("a closing brace", "}", "JSON_INVALID"),
        HostileCall("an object that is cut off", #"{"concertId":1,"userId":1"#, "JSON_INVALID"),
        HostileCall("a name that is cut off", #"{"concert"#, "JSON_INVALID"),
        HostileCall("an escape that is cut off", #"{"a\"#, "JSON_INVALID"),
        HostileCall("two objects", #"{"concertId":1,"userId":1}{}"#, "JSON_TRAILING_BYTES"),
        HostileCall("NUL after the object", "{\"concertId\":1,\"userId\":1}\0", "JSON_TRAILING_BYTES"),
        HostileCall("a comma after the object", #"{"concertId":1,"userId":1},"#, "JSON_TRAILING_BYTES"),
        HostileCall("a comma at the end", #"{"concertId":1,"userId":1,}"#, "JSON_INVALID"),
        HostileCall("a comma first", #"{,"concertId":1,"userId":1}"#, "JSON_INVALID"),
        HostileCall("two commas", #"{"concertId":1,,"userId":1}"#, "JSON_INVALID"),
        HostileCall("no comma", #"{"concertId":1 "userId":1}"#, "JSON_INVALID"),
        HostileCall("no colon", #"{"concertId" 1}"#, "JSON_INVALID"),
        HostileCall("two colons", #"{"concertId"::1}"#, "JSON_INVALID"),
        HostileCall("a name without quotes", "{concertId:1,userId:1}", "JSON_INVALID"),
        HostileCall("single quotes", "{'concertId':1,'userId':1}", "JSON_INVALID"),
        HostileCall("a number for a name", "{1:1}", "JSON_INVALID"),
        HostileCall("a comment", #"{/* */"concertId":1,"userId":1}"#, "JSON_INVALID"),
        HostileCall("a comment of a line", "{\"concertId\":1,//\n\"userId\":1}", "JSON_INVALID"),
        HostileCall("a form feed for white space", "{\u{0C}\"concertId\":1,\"userId\":1}", "JSON_INVALID"),
        HostileCall("a space past ASCII", "{\u{A0}\"concertId\":1,\"userId\":1}", "JSON_INVALID"),
    ]

    private static let numbers = [
        Self.concert("NaN", "NaN", "JSON_INVALID"),
        Self.concert("infinity", "Infinity", "JSON_INVALID"),
        Self.concert("minus infinity", "-Infinity", "JSON_NUMBER_INVALID"),
        Self.concert("a plus", "+1", "JSON_INVALID"),
        Self.concert("a minus alone", "-", "JSON_NUMBER_INVALID"),
        Self.concert("two minuses", "--1", "JSON_NUMBER_INVALID"),
        Self.concert("a leading zero", "01", "JSON_NUMBER_INVALID"),
        Self.concert("hexadecimal", "0x1", "JSON_INVALID"),
        Self.concert("a point first", ".1", "JSON_INVALID"),
        Self.concert("a point last", "1.", "JSON_NUMBER_INVALID"),
        Self.concert("an exponent without digits", "1e", "JSON_NUMBER_INVALID"),
        Self.concert("an exponent of a sign alone", "1e+", "JSON_NUMBER_INVALID"),
        Self.concert("an underscore", "1_000", "JSON_INVALID"),
        Self.concert("digits that are not ASCII", "１", "JSON_INVALID"),
        Self.concert("a fraction", "1.5", "NUMBER_NOT_INTEGER"),
        Self.concert("a whole number with a point", "1.0", "NUMBER_NOT_INTEGER"),
        Self.concert("an exponent", "1e0", "NUMBER_NOT_INTEGER"),
        Self.concert("an exponent that no double holds", "1e999999", "NUMBER_NOT_INTEGER"),
        Self.concert("an exponent of nothing", "0e0", "NUMBER_NOT_INTEGER"),
        Self.concert("zero", "0", "FIELD_INVALID"),
        Self.concert("minus zero", "-0", "FIELD_INVALID"),
        Self.concert("a negative number", "-1", "FIELD_INVALID"),
        Self.concert("2^53", "9007199254740992", "NUMBER_OUT_OF_RANGE"),
        Self.concert("2^53 + 1", "9007199254740993", "NUMBER_OUT_OF_RANGE"),
        Self.concert("2^63 - 1", "9223372036854775807", "NUMBER_OUT_OF_RANGE"),
        Self.concert("2^63", "9223372036854775808", "NUMBER_OUT_OF_RANGE"),
        Self.concert("-2^63", "-9223372036854775808", "NUMBER_OUT_OF_RANGE"),
        Self.concert("2^64 + 1", "18446744073709551617", "NUMBER_OUT_OF_RANGE"),
        Self.concert("a thousand digits", String(repeating: "9", count: 1_000), "NUMBER_OUT_OF_RANGE"),
        Self.concert(
            "a minus and a thousand digits",
            "-" + String(repeating: "9", count: 1_000),
            "NUMBER_OUT_OF_RANGE"
        ),
        HostileCall("a user of 2^53", #"{"concertId":1,"userId":9007199254740992}"#, "NUMBER_OUT_OF_RANGE"),
        HostileCall("a user of 0", #"{"concertId":1,"userId":0}"#, "FIELD_INVALID"),
        HostileCall("a negative user", #"{"concertId":1,"userId":-7}"#, "FIELD_INVALID"),
    ]

    private static let fields = [
        HostileCall("no fields", "{}", "FIELD_MISSING"),
        HostileCall("no concert", #"{"userId":1}"#, "FIELD_MISSING"),
        HostileCall("no user", #"{"concertId":1}"#, "FIELD_MISSING"),
        HostileCall("names in another case", #"{"ConcertID":1,"UserID":1}"#, "FIELD_MISSING"),
        HostileCall("names with spaces", #"{" concertId":1,"userId ":1}"#, "FIELD_MISSING"),
        HostileCall("fields one level down", #"{"body":{"concertId":1,"userId":1}}"#, "FIELD_MISSING"),
        Self.concert("null for a number", "null", "FIELD_MISSING"),
        Self.concert("a string for a number", #""1""#, "FIELD_TYPE_INVALID"),
        Self.concert("an empty string for a number", #""""#, "FIELD_TYPE_INVALID"),
        Self.concert("true for a number", "true", "FIELD_TYPE_INVALID"),
        Self.concert("a list for a number", "[1]", "FIELD_TYPE_INVALID"),
        Self.concert("an object for a number", #"{"id":1}"#, "FIELD_TYPE_INVALID"),
        HostileCall("a field twice", #"{"concertId":1,"concertId":1,"userId":1}"#, "FIELD_REPEATED"),
        HostileCall("a field twice, once escaped", #"{"concertId":1,"\u0063oncertId":2,"userId":1}"#, "FIELD_REPEATED"),
        HostileCall("an unknown field twice", #"{"concertId":1,"userId":1,"x":1,"x":2}"#, "FIELD_REPEATED"),
        HostileCall("empty names twice", #"{"concertId":1,"userId":1,"":1,"":2}"#, "FIELD_REPEATED"),
        HostileCall("a field twice, deep", #"{"concertId":1,"userId":1,"x":[{"y":1,"y":2}]}"#, "FIELD_REPEATED"),
        HostileCall("a prototype", #"{"__proto__":{"concertId":1},"userId":1}"#, "FIELD_MISSING"),
        HostileCall(
            "33 fields",
            "{" + (0..<33).map { "\"f\($0)\":0" }.joined(separator: ",") + "}",
            "JSON_TOO_MANY_MEMBERS"
        ),
        HostileCall(
            "60,000 bytes of fields",
            "{" + (0..<6_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}",
            "JSON_TOO_MANY_MEMBERS"
        ),
    ]

    private static let nesting = [
        HostileCall("32 levels of lists", Self.deep(32, "[", "]"), "JSON_TOO_DEEP"),
        HostileCall("32 levels of objects", Self.deep(32, #"{"a":"#, "}", inside: "1"), "JSON_TOO_DEEP"),
        HostileCall("60,000 levels of lists", Self.deep(30_000, "[", "]"), "JSON_TOO_DEEP"),
        HostileCall("60,000 open brackets", String(repeating: "[", count: 60_000), "JSON_TOO_DEEP"),
        HostileCall("60,000 bytes of open objects", String(repeating: #"{"a":"#, count: 12_000), "JSON_TOO_DEEP"),
        HostileCall("closed with the wrong bracket", #"{"concertId":1,"userId":1,"x":[}]"#, "JSON_INVALID"),
    ]

    private static func text(_ name: String, _ bytes: [UInt8], _ code: String) -> HostileCall {
        HostileCall(name, bytes: Array(#"{"concertId":1,"userId":1,"x":""#.utf8) + bytes + Array("\"}".utf8), code)
    }

    private static let texts = [
        Self.text("a lone continuation byte", [0x80], "JSON_TEXT_INVALID"),
        Self.text("a start byte alone", [0xC3], "JSON_TEXT_INVALID"),
        Self.text("an overlong slash", [0xC0, 0xAF], "JSON_TEXT_INVALID"),
        Self.text("an overlong NUL", [0xE0, 0x80, 0x80], "JSON_TEXT_INVALID"),
        Self.text("a surrogate in UTF-8", [0xED, 0xA0, 0x80], "JSON_TEXT_INVALID"),
        Self.text("a scalar past U+10FFFF", [0xF4, 0x90, 0x80, 0x80], "JSON_TEXT_INVALID"),
        Self.text("the byte FF", [0xFF], "JSON_TEXT_INVALID"),
        Self.text("a sequence cut off by the quote", [0xE2, 0x82], "JSON_TEXT_INVALID"),
        Self.text("a line feed in a string", [0x0A], "JSON_INVALID"),
        Self.text("NUL in a string", [0x00], "JSON_INVALID"),
        Self.text("a tab in a string", [0x09], "JSON_INVALID"),
        Self.text("half of a surrogate pair", Array(#"\ud800"#.utf8), "JSON_ESCAPE_INVALID"),
        Self.text("the other half", Array(#"\udc00"#.utf8), "JSON_ESCAPE_INVALID"),
        Self.text("a surrogate pair the wrong way round", Array(#"\udc00\ud800"#.utf8), "JSON_ESCAPE_INVALID"),
        Self.text("an escape that is none", Array(#"\x41"#.utf8), "JSON_ESCAPE_INVALID"),
        Self.text("an escape of three digits", Array(#"\u041"#.utf8), "JSON_ESCAPE_INVALID"),
        Self.text("an escape of letters", Array(#"\uZZZZ"#.utf8), "JSON_ESCAPE_INVALID"),
        HostileCall("broken UTF-8 in a name", bytes: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], "JSON_TEXT_INVALID"),
    ]

    /// Reservations with a token that is good: its place holder is filled in by the test.
    static let goodToken = "X-Concert-Token: {good}"

    private static func reserve(_ name: String, _ seats: String, _ code: String) -> HostileCall {
        let body = #"{"concertId":1,"concertScheduleId":1,"seatIds":\#(seats)}"#
        return HostileCall(name, "POST", "/api/v1/reservation", Array(body.utf8), [Self.goodToken], 400, code)
    }

    private static func pay(_ name: String, _ ids: String, _ code: String) -> HostileCall {
        let body = #"{"concertId":1,"reservationIds":\#(ids)}"#
        return HostileCall(name, "POST", "/api/v1/payment", Array(body.utf8), [Self.goodToken], 400, code)
    }

    private static func cancel(_ name: String, _ ids: String, user: String = "7", _ code: String) -> HostileCall {
        let body = #"{"concertId":1,"userId":\#(user),"reservationIds":\#(ids)}"#
        return HostileCall(name, "POST", "/api/v1/reservation/cancel", Array(body.utf8), [], 400, code)
    }

    private static let lists = [
        Self.reserve("null for a list", "null", "FIELD_MISSING"),
        Self.reserve("a number for a list", "1", "FIELD_TYPE_INVALID"),
        Self.reserve("a string for a list", #""1,2""#, "FIELD_TYPE_INVALID"),
        Self.reserve("an object for a list", #"{"0":1}"#, "FIELD_TYPE_INVALID"),
        Self.reserve("an empty list", "[]", "SEATS_MISSING"),
        Self.reserve("a list of strings", #"["1"]"#, "FIELD_TYPE_INVALID"),
        Self.reserve("a list of lists", "[[1]]", "FIELD_TYPE_INVALID"),
        Self.reserve("a list of objects", #"[{"seatId":1}]"#, "FIELD_TYPE_INVALID"),
        Self.reserve("a list with null", "[1,null]", "FIELD_TYPE_INVALID"),
        Self.reserve("a list with true", "[true]", "FIELD_TYPE_INVALID"),
        Self.reserve("a list with a fraction", "[1.5]", "NUMBER_NOT_INTEGER"),
        Self.reserve("a list with 2^53", "[9007199254740992]", "NUMBER_OUT_OF_RANGE"),
        Self.reserve("a list with 0", "[0]", "FIELD_INVALID"),
        Self.reserve("a list with a negative seat", "[-1]", "FIELD_INVALID"),
        Self.reserve("a list with a comma last", "[1,]", "JSON_INVALID"),
        Self.reserve("a list with two commas", "[1,,2]", "JSON_INVALID"),
        Self.reserve("a list without commas", "[1 2]", "JSON_INVALID"),
        Self.reserve("a seat far away", "[9007199254740991]", "SEAT_NOT_FOUND"),
        Self.reserve("a seat twice", "[1,1]", "SEAT_REPEATED"),
        Self.reserve("five seats", "[1,2,3,4,5]", "TOO_MANY_SEATS"),
        Self.reserve("100 seats", "[" + (1...100).map(String.init).joined(separator: ",") + "]", "TOO_MANY_SEATS"),
        Self.reserve("101 seats", "[" + (1...101).map(String.init).joined(separator: ",") + "]", "LIST_TOO_LONG"),
        Self.reserve(
            "1,000 seats",
            "[" + [String](repeating: "1", count: 1_000).joined(separator: ",") + "]",
            "LIST_TOO_LONG"
        ),
        Self.reserve(
            "30,000 seats",
            "[" + [String](repeating: "1", count: 30_000).joined(separator: ",") + "]",
            "JSON_TOO_MANY_VALUES"
        ),
        Self.pay("a payment for nothing", "[]", "RESERVATIONS_MISSING"),
        Self.pay("a payment for a number", "7", "FIELD_TYPE_INVALID"),
        Self.pay("a payment for a reservation that is none", "[7]", "RESERVATION_NOT_FOUND"),
        Self.pay("a payment for the largest number", "[9007199254740991]", "RESERVATION_NOT_FOUND"),
        Self.pay("a payment for one twice", "[7,7]", "RESERVATION_REPEATED"),
        Self.pay("a payment for 101", "[" + (1...101).map(String.init).joined(separator: ",") + "]", "LIST_TOO_LONG"),
        Self.cancel("a cancellation of nothing", "[]", "RESERVATIONS_MISSING"),
        Self.cancel("a cancellation of a number", "7", "FIELD_TYPE_INVALID"),
        Self.cancel("a cancellation of a reservation that is none", "[7]", "RESERVATION_NOT_FOUND"),
        Self.cancel("a cancellation by user 0", "[7]", user: "0", "FIELD_INVALID"),
        Self.cancel("a cancellation by nobody", "[7]", user: "null", "FIELD_MISSING"),
        Self.cancel("a cancellation of one twice", "[7,7]", "RESERVATION_REPEATED"),
        Self.cancel(
            "a cancellation of 101",
            "[" + (1...101).map(String.init).joined(separator: ",") + "]",
            "LIST_TOO_LONG"
        ),
    ]

    private static let queries = [
        Self.get("no query", "/api/v1/concert/schedules", 400, "FIELD_MISSING"),
        Self.get(
            "101 parameters",
            "/api/v1/point?userId=1" + String(repeating: "&a=1", count: 100),
            400,
            "PARAMETERS_TOO_MANY"
        ),
        Self.get("an empty query", "/api/v1/concert/schedules?", 400, "FIELD_MISSING"),
        Self.get("a name without a value", "/api/v1/concert/schedules?concertId", 400, "NUMBER_INVALID"),
        Self.get("an empty value", "/api/v1/concert/schedules?concertId=", 400, "NUMBER_INVALID"),
        Self.get("letters", "/api/v1/concert/schedules?concertId=one", 400, "NUMBER_INVALID"),
        Self.get("a point", "/api/v1/concert/schedules?concertId=1.0", 400, "NUMBER_INVALID"),
        Self.get("an exponent in the query", "/api/v1/concert/schedules?concertId=1e0", 400, "NUMBER_INVALID"),
        Self.get("a hexadecimal query", "/api/v1/concert/schedules?concertId=0x1", 400, "NUMBER_INVALID"),
        Self.get("a plus in the query", "/api/v1/concert/schedules?concertId=+1", 400, "NUMBER_INVALID"),
        Self.get("an escaped space", "/api/v1/concert/schedules?concertId=1%20", 400, "NUMBER_INVALID"),
        Self.get("an escaped NUL", "/api/v1/concert/schedules?concertId=1%00", 400, "NUMBER_INVALID"),
        Self.get("an escaped line end", "/api/v1/concert/schedules?concertId=1%0d%0aX:%20y", 400, "NUMBER_INVALID"),
        Self.get("two numbers", "/api/v1/concert/schedules?concertId=1,2", 400, "NUMBER_INVALID"),
        Self.get("a concert twice", "/api/v1/concert/schedules?concertId=1&concertId=1", 400, "FIELD_REPEATED"),
        Self.get(
            "a concert twice, once escaped",
            "/api/v1/concert/schedules?concertId=1&%63oncertId=2",
            400,
            "FIELD_REPEATED"
        ),
        Self.get("the name in another case", "/api/v1/concert/schedules?concertid=1", 400, "FIELD_MISSING"),
        Self.get("a list's brackets", "/api/v1/concert/schedules?concertId%5B%5D=1", 400, "FIELD_MISSING"),
        Self.get("a semicolon between", "/api/v1/concert/seats?concertId=1;concertScheduleId=1", 400, "NUMBER_INVALID"),
        Self.get("concert 0", "/api/v1/concert/schedules?concertId=0", 400, "FIELD_INVALID"),
        Self.get("concert -1", "/api/v1/concert/schedules?concertId=-1", 400, "FIELD_INVALID"),
        Self.get("concert 2^53", "/api/v1/concert/schedules?concertId=9007199254740992", 400, "FIELD_INVALID"),
        Self.get("concert 2^63", "/api/v1/concert/schedules?concertId=9223372036854775808", 400, "NUMBER_OUT_OF_RANGE"),
        Self.get("concert 404", "/api/v1/concert/schedules?concertId=404", 400, "CONCERT_NOT_FOUND"),
        Self.get("seats of no schedule", "/api/v1/concert/seats?concertId=1", 400, "FIELD_MISSING"),
        Self.get("seats of schedule 0", "/api/v1/concert/seats?concertId=1&concertScheduleId=0", 400, "FIELD_INVALID"),
        Self.get("reservations of nobody", "/api/v1/reservation?concertId=1", 400, "FIELD_MISSING"),
        Self.get("reservations of user 0", "/api/v1/reservation?concertId=1&userId=0", 400, "FIELD_INVALID"),
        Self.get("points of nobody", "/api/v1/point", 400, "FIELD_MISSING"),
        Self.get("points of a script", "/api/v1/point?userId=%3Cscript%3E", 400, "NUMBER_INVALID"),
        Self.get("a query of SQL", "/api/v1/point?userId=1'%20OR%20'1'='1", 400, "NUMBER_INVALID"),
        Self.get(
            "a query of 8,000 digits",
            "/api/v1/point?userId=" + String(repeating: "9", count: 8_000),
            400,
            "NUMBER_OUT_OF_RANGE"
        ),
        Self.get("a history page of 2^31", "/api/v1/point-history?userId=1&page=2147483648", 400, "FIELD_INVALID"),
        Self.get(
            "a history size of 2^63",
            "/api/v1/point-history?userId=1&size=9223372036854775808",
            400,
            "NUMBER_OUT_OF_RANGE"
        ),
        Self.get(
            "a history type of everything",
            "/api/v1/point-history?userId=1&transactionType=%25",
            400,
            "FIELD_INVALID"
        ),
        Self.charge("a charge without an amount", "userId=1", "FIELD_MISSING"),
        Self.charge("a charge of letters", "userId=1&amount=ten", "NUMBER_INVALID"),
        Self.charge("a charge of 10.5", "userId=1&amount=10.5", "NUMBER_INVALID"),
        Self.charge("a charge of nothing", "userId=1&amount=0", "AMOUNT_NOT_POSITIVE"),
        Self.charge("a negative charge", "userId=1&amount=-100", "AMOUNT_NOT_POSITIVE"),
        Self.charge("a charge of -2^63", "userId=1&amount=-9223372036854775808", "AMOUNT_NOT_POSITIVE"),
        Self.charge("a charge of 2^63 - 1", "userId=1&amount=9223372036854775807", "CHARGE_TOO_LARGE"),
        Self.charge("a charge of 2^63", "userId=1&amount=9223372036854775808", "CHARGE_TOO_LARGE"),
        Self.charge("a charge of 10^30", "userId=1&amount=1\(String(repeating: "0", count: 30))", "CHARGE_TOO_LARGE"),
        Self.charge("a charge of -2^63 - 1", "userId=1&amount=%2D9223372036854775809", "AMOUNT_NOT_POSITIVE"),
        Self.charge("a charge with two amounts", "userId=1&amount=1&amount=1000000", "FIELD_REPEATED"),
        Self.charge("a charge with its amount in the wrong place", "userId=1?amount=1", "NUMBER_INVALID"),
        Self.charge("a charge by bank", "userId=1&amount=1&paymentType=BANK", "FIELD_INVALID"),
        Self.charge("two payment types", "userId=1&amount=1&paymentType=FREE&paymentType=FREE", "FIELD_REPEATED"),
    ]

    private static let escapes = [
        Self.get("a percent sign alone", "/api/v1/point?userId=%", 400, "ESCAPE_INVALID"),
        Self.get("an escape of one digit", "/api/v1/point?userId=1%3", 400, "ESCAPE_INVALID"),
        Self.get("an escape of two letters", "/api/v1/point?userId=%zz", 400, "ESCAPE_INVALID"),
        Self.get("an escape in what nobody reads", "/api/v1/point?userId=1&x=%g0", 400, "ESCAPE_INVALID"),
        Self.get("an escape across an ampersand", "/api/v1/point?userId=1%&x=31", 400, "ESCAPE_INVALID"),
        Self.get("escapes of broken UTF-8", "/api/v1/point?userId=1&x=%FF", 400, "TEXT_INVALID"),
        Self.get("an overlong escape", "/api/v1/point?userId=%C0%B1", 400, "TEXT_INVALID"),
        Self.get("a surrogate's escape", "/api/v1/point?userId=1&x=%ED%A0%80", 400, "TEXT_INVALID"),
        Self.get("escaped twice", "/api/v1/point?userId=%2531", 400, "NUMBER_INVALID"),
        Self.get("an escaped letter in the path", "/api/v1/poin%74?userId=1", 404, "NOT_FOUND"),
        Self.get("an escaped slash in the path", "/api/v1%2Fpoint?userId=1", 404, "NOT_FOUND"),
        Self.get("a way out of the path", "/api/v1/../../etc/passwd", 404, "NOT_FOUND"),
        Self.get("an escaped way out", "/api/v1/%2e%2e/%2e%2e/etc/passwd", 404, "NOT_FOUND"),
        Self.get("a bad escape in the path", "/api/v1/%zz", 404, "NOT_FOUND"),
    ]

    private static func poll(_ name: String, _ token: String) -> HostileCall {
        HostileCall(
            name,
            "GET",
            "/api/v1/waiting?concertId=1",
            nil,
            ["X-Concert-Token: \(token)"],
            400,
            "TOKEN_NOT_FOUND"
        )
    }

    private static func reserve(_ name: String, token: String) -> HostileCall {
        let body = Array(#"{"concertId":1,"concertScheduleId":1,"seatIds":[1]}"#.utf8)
        let header = ["X-Concert-Token: \(token)"]
        return HostileCall(
            name,
            "POST",
            "/api/v1/reservation",
            body,
            header,
            401,
            token.isEmpty ? "TOKEN_MISSING" : "TOKEN_INVALID"
        )
    }

    private static let tokens = [
        Self.poll("an empty token", ""),
        Self.poll("a token of one letter", "A"),
        Self.poll("a token of 80 letters", String(repeating: "A", count: 80)),
        Self.poll("a token of 81 letters", String(repeating: "A", count: 81)),
        Self.poll("a token of 15,000 letters", String(repeating: "A", count: 15_000)),
        Self.poll("a token past ASCII", "토큰"),
        Self.poll("a token with padding", "QUJDRA=="),
        Self.poll("a token with quotes", "\"\\\""),
        Self.poll("a token of spaces within", "a b"),
        Self.poll("a token with a letter more", "{good}A"),
        Self.poll("a token twice over", "{good}{good}"),
        Self.poll("a JSON web token without a signature", "eyJhbGciOiJub25lIn0.e30."),
        HostileCall("no concert beside a token", "GET", "/api/v1/waiting", nil, [Self.goodToken], 400, "FIELD_MISSING"),
        HostileCall(
            "a token of another concert",
            "GET",
            "/api/v1/waiting?concertId=2",
            nil,
            [Self.goodToken],
            400,
            "TOKEN_NOT_FOUND"
        ),
        HostileCall("leaving with nothing", "DELETE", "/api/v1/waiting?concertId=1", nil, [], 400, "TOKEN_NOT_FOUND"),
        Self.reserve("reserving with an empty token", token: ""),
        Self.reserve("reserving with letters", token: String(repeating: "A", count: 60)),
        Self.reserve("reserving with a letter more", token: "{good}A"),
        Self.reserve("reserving with a bearer's word", token: "Bearer {good}"),
        HostileCall(
            "reserving without a body",
            "POST",
            "/api/v1/reservation",
            nil,
            [Self.goodToken],
            400,
            "BODY_EMPTY"
        ),
        HostileCall("paying without a body", "POST", "/api/v1/payment", nil, [Self.goodToken], 400, "BODY_EMPTY"),
        HostileCall(
            "giving back without a body",
            "DELETE",
            "/api/v1/reservation",
            nil,
            [Self.goodToken],
            400,
            "BODY_EMPTY"
        ),
        HostileCall("paying without a token", "POST", "/api/v1/payment", Array("{}".utf8), [], 401, "TOKEN_MISSING"),
        HostileCall(
            "reserving without a schedule",
            "POST",
            "/api/v1/reservation",
            Array(#"{"concertId":1,"seatIds":[1]}"#.utf8),
            [Self.goodToken],
            400,
            "FIELD_MISSING"
        ),
    ]
}
