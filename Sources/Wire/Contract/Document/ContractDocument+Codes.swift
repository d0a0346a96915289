/// When each code is said: for makers of clients, in `/openapi.json` and on the contract's page (`docs/contract.md`). A new code
/// has its row here; those of HTTP itself (`HTTPRefusal`) explain themselves.
extension ContractDocument {
    /// Codes that stand in one table of the page.
    struct CodeGroup: Sendable {
        let name: String
        let codes: [(code: String, when: String)]
    }

    static func when(_ code: String) -> String? {
        self.codeGroups.lazy.flatMap(\.codes).first { $0.code == code }?.when
    }

    static let codeGroups: [CodeGroup] = [
        CodeGroup(
            name: "booking",
            codes: [
                ("CONCERT_NOT_FOUND", "no such concert"),
                (
                    "CONCERT_OVER",
                    "joining, polling or leaving a line after the last schedule has begun, unless inside; choose another concert"
                ),
                ("SCHEDULE_NOT_FOUND", "no such schedule of this concert"),
                ("SCHEDULE_OVER", "the play has begun"),
                ("SEAT_NOT_FOUND", "the hall has no such seat"),
                ("SEAT_TAKEN", "a seat is held or sold"),
                ("SEATS_MISSING", "no seats are named"),
                ("SEAT_REPEATED", "a seat is named twice"),
                ("TOO_MANY_SEATS", "more seats than one reservation may take"),
                (
                    "SEATS_PER_USER_EXCEEDED",
                    "the user would hold more seats of the concert at once, or have more in all, than one may; nothing is held"
                ),
                (
                    "STAY_OVER",
                    "to reserve, while the token works only for what its user holds already: the time inside is over"
                ),
                (
                    "SEAT_KEPT_TOO_LONG",
                    "the user has had the seat for as long as one hold lasts, and it has not been free to others for 10 seconds since"
                ),
                ("RESERVATION_NOT_FOUND", "no such reservation of this user"),
                ("RESERVATIONS_MISSING", "no reservations are named"),
                ("RESERVATION_REPEATED", "a reservation is named twice"),
                ("HOLD_EXPIRED", "the hold is over"),
                ("NOT_PAID", "to cancel what is not paid"),
                ("CANCEL_TOO_LATE", "the time for cancelling is over"),
                ("ALREADY_CANCELLED", "a reservation was cancelled, together with others than those named"),
                ("CANCEL_IN_PROGRESS", "the same, and the points are not back yet"),
                ("ALREADY_PAID", "a reservation is paid"),
                ("PAYMENT_IN_PROGRESS", "another payment of the reservation is under way"),
                ("INSUFFICIENT_POINTS", "the balance is too low"),
                ("AMOUNT_NOT_POSITIVE", "0 or less, to charge or to use"),
                ("CHARGE_TOO_LARGE", "over 2,000,000 at once"),
                ("BALANCE_TOO_LARGE", "the balance would pass 100,000,000"),
            ]
        ),
        CodeGroup(
            name: "keys",
            codes: [
                ("IDEMPOTENCY_KEY_INVALID", "not 1 to 255 visible ASCII characters; nothing was done"),
                (
                    "TOO_MANY_IDEMPOTENCY_KEYS",
                    """
                    as many keys of this user are kept as may be (1,000 a shard, for a day each); nothing \
                    was done, and changes without a key go on; `Retry-After` says when the oldest ends
                    """
                ),
                (
                    "TOO_MANY_IDEMPOTENCY_KEYS_OF_ADDRESS",
                    """
                    the same of the client's address, where users do not log in and the address is not trusted: it may have a \
                    sixteenth of the room that is free for keys; `Retry-After` says when a key ends that is in the way, at the \
                    earliest
                    """
                ),
                (
                    "IDEMPOTENCY_KEYS_FULL",
                    "as many keys are kept as may be (`shard.keptAnswersMax`); the rest as above"
                ),
                ("IDEMPOTENCY_KEY_REUSED", "the key came before with another request; nothing was done"),
            ]
        ),
        CodeGroup(
            name: "tokens",
            codes: [
                (
                    "TOKEN_NOT_FOUND",
                    "polling or leaving with a token that is missing, forged, over, used up, or of another concert"
                ),
                ("TOKEN_MISSING", "reserving, paying or giving back without one"),
                ("TOKEN_INVALID", "the same calls, with one that is not valid (any more)"),
                ("TOKEN_NOT_ADMITTED", "the same calls, while it still waits"),
            ]
        ),
        CodeGroup(
            name: "the login",
            codes: [
                ("IDENTITY_MISSING", "there is no header `Authorization`"),
                (
                    "IDENTITY_MALFORMED",
                    "it is no bearer token, no JSON Web Token, or one without `exp`; the message says what is wrong"
                ),
                (
                    "IDENTITY_ALGORITHM_REFUSED",
                    "`alg` is `none`, none of HS256, ES256, RS256 and EdDSA, or another than the key's"
                ),
                ("IDENTITY_KEY_UNKNOWN", "the key that it names (`kid`) is not known"),
                ("IDENTITY_SIGNATURE_INVALID", "the signature is wrong"),
                ("IDENTITY_EXPIRED", "by `exp`, give or take 30 seconds"),
                ("IDENTITY_NOT_YET_VALID", "by `nbf`, give or take 30 seconds"),
                ("IDENTITY_AUDIENCE_WRONG", "`aud` is not what the settings say"),
                ("IDENTITY_ISSUER_WRONG", "`iss` is not what the settings say"),
                ("IDENTITY_USER_MISSING", "the claim is missing, or no whole number from 1 to 2^53 - 1"),
                ("IDENTITY_OTHER_USER", "the request is about another user"),
            ]
        ),
        CodeGroup(
            name: "the service",
            codes: [
                ("OVERLOADED", "more is asked than can be done, or too many people are in line; nothing was done"),
                (
                    "TOO_MANY_CONNECTIONS",
                    "too many connections are open; said without reading a request, in Korean only; the connection is closed"
                ),
                (
                    "TOO_MUCH_UNFINISHED",
                    """
                    requests that have not arrived whole take too much memory, and this one held most; nothing was done; the \
                    connection is closed
                    """
                ),
                ("TOO_MANY_REQUESTS", "too many requests from one client's address"),
                ("TOO_MANY_REQUESTS_OF_USER", "too many requests of one user"),
                (
                    "TOO_MANY_CONNECTIONS_OF_ADDRESS",
                    """
                    too many connections from one client's address; said without reading a request, in Korean only; the \
                    connection is closed
                    """
                ),
                ("FORWARDED_INVALID", "a proxy that is trusted passed on a `Forwarded` that can't be read"),
                (
                    "STORAGE_UNAVAILABLE",
                    "the disk takes nothing for now, so nothing can be changed and nothing was; reading works"
                ),
                (
                    "CLOCK_SUSPENDED",
                    """
                    the server's clock jumped by a day or more, so nothing can be changed until it is right again, and nothing \
                    was; reading works
                    """
                ),
                (
                    "TRANSFER_CONFLICT",
                    """
                    paying or cancelling, after a part of the service was put back from an older copy: the number of this \
                    transfer of points was used before; nothing was paid or cancelled; `Retry-After` (with an \
                    `Idempotency-Key`, under a new one)
                    """
                ),
                (
                    "UNAVAILABLE",
                    "a shard was away or too slow for too long; what was asked may have been done, or not"
                ),
                ("NOT_FOUND", "no such path"),
                ("METHOD_NOT_ALLOWED", "the path answers other methods, which `Allow` names"),
            ]
        ),
        CodeGroup(
            name: "a query or body",
            codes: [
                ("FIELD_MISSING", "a field is not there"),
                ("FIELD_REPEATED", "a field is there twice"),
                ("FIELD_TYPE_INVALID", "a field is of another type"),
                ("FIELD_INVALID", "a field has a value that it may not have"),
                ("NUMBER_INVALID", "not a number"),
                ("NUMBER_NOT_INTEGER", "not a whole number"),
                ("NUMBER_OUT_OF_RANGE", "a number past what fits"),
                ("LIST_TOO_LONG", "more than 100 ids"),
                ("STRING_TOO_LONG", "a longer text than any field has"),
                ("BODY_EMPTY", "no body"),
                ("JSON_INVALID", "no JSON"),
                ("JSON_NOT_OBJECT", "JSON that is not an object"),
                ("JSON_TRAILING_BYTES", "more after the object"),
                ("JSON_BYTE_ORDER_MARK", "a byte order mark"),
                ("JSON_TEXT_INVALID", "text that is not UTF-8, in the body"),
                ("JSON_ESCAPE_INVALID", "a wrong `\\` escape"),
                ("JSON_NUMBER_INVALID", "a number that JSON does not have"),
                ("JSON_TOO_DEEP", "nested beyond any use: more than 32 levels"),
                ("JSON_TOO_MANY_MEMBERS", "filled beyond any use: more than 32 members of one object"),
                ("JSON_TOO_MANY_VALUES", "filled beyond any use: more than 1,024 values in all"),
                ("ESCAPE_INVALID", "a wrong `%` escape in the query"),
                ("TEXT_INVALID", "text that is not UTF-8, in the query"),
                ("PARAMETERS_TOO_MANY", "more than 100 parameters in the query"),
            ]
        ),
        CodeGroup(
            name: "headers",
            codes: [
                (
                    "CONTENT_CODING_UNSUPPORTED",
                    """
                    `Content-Encoding` names a coding other than `identity`, whatever the path and whether there is a body; the \
                    answer says `Accept-Encoding: identity`
                    """
                ),
                ("CONTENT_RANGE_UNSUPPORTED", "a `POST`, `PUT`, `PATCH` or `DELETE` with `Content-Range`"),
                (
                    "PRECONDITION_FAILED",
                    "the same methods with `If-Match` and an entity tag: nothing that can be changed has one"
                ),
            ]
        ),
        CodeGroup(name: "HTTP", codes: [("REQUEST_TIMEOUT", "a head or body that takes too long")]),
    ]
}
