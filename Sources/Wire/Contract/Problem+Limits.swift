public import Booking

/// Problems of rate limits, other limits, and of headers about the client's address.
extension Problem {
    public static func tooManyRequests(ofAddress wait: Nanoseconds) -> Problem {
        Problem(
            .tooManyRequests,
            "TOO_MANY_REQUESTS",
            "요청이 너무 많습니다. 잠시 후 다시 시도해주세요.",
            "There are too many requests from your address. Slow down, and try again after the seconds of Retry-After.",
            retryAfter: self.seconds(wait)
        )
    }

    public static func tooManyRequests(ofUser wait: Nanoseconds) -> Problem {
        Problem(
            .tooManyRequests,
            "TOO_MANY_REQUESTS_OF_USER",
            "사용자의 요청이 너무 많습니다. 잠시 후 다시 시도해주세요.",
            "There are too many requests of this user. Slow down, and try again after the seconds of Retry-After.",
            retryAfter: self.seconds(wait)
        )
    }

    /// Sent without reading a request, so in the default of both languages; as the next one.
    public static let tooManyConnections = Problem(
        .serviceUnavailable,
        "TOO_MANY_CONNECTIONS",
        "접속자가 많습니다. 잠시 후 다시 시도해주세요.",
        "Too many connections are open. Try again in a second.",
        retryAfter: 1
    )

    public static let tooManyConnectionsOfAddress = Problem(
        .tooManyRequests,
        "TOO_MANY_CONNECTIONS_OF_ADDRESS",
        "같은 주소에서 접속이 너무 많습니다. 기존 연결을 사용하거나 잠시 후 다시 시도해주세요.",
        "There are too many connections from your address. Use those that are open, or close some.",
        retryAfter: 1
    )

    /// For a request that has not arrived completely. The connection is closed.
    public static let tooMuchUnfinished = Problem(
        .serviceUnavailable,
        "TOO_MUCH_UNFINISHED",
        "받는 중인 요청이 너무 많습니다. 새 연결로 다시 보내주세요.",
        "Requests that have not arrived whole take too much memory, this one among the most. Nothing was done. Send it again "
            + "on a new connection, without pauses.",
        retryAfter: 1
    )

    /// Overload. Clients that book retry in a second; others, with a place or without, a little later.
    public static func shed(_ priority: RequestPriority) -> Problem {
        var problem = Problem(.overloaded, token: "", asksForPlace: false)
        problem.retryAfter =
            switch priority {
            case .booking: 1
            case .asking: 3
            case .joining: 5
            }
        return problem
    }

    public static let forwardedInvalid = Problem(
        .badRequest,
        "FORWARDED_INVALID",
        "Forwarded 헤더 값이 올바르지 않습니다.",
        "The header Forwarded is not valid (RFC 7239, section 4)."
    )

    /// Whole seconds, rounded up: at least 1.
    private static func seconds(_ wait: Nanoseconds) -> UInt32 {
        UInt32(clamping: max(1, (wait.rawValue + 999_999_999) / 1_000_000_000))
    }
}
