public import Booking

/// A refusal: the problem for programs (`code`, which never changes) and for people in their language (`korean`,
/// `english`: what was wrong, and what to do).
public struct Problem: Error, Sendable {
    public let status: HTTPStatus
    public let code: String
    public let korean: String
    public let english: String
    /// Seconds after which a retry may help.
    public var retryAfter: UInt32?
    /// The methods of the path, for 405.
    public var allow: StaticString?
    /// How to authenticate, for 401: by the contract's own tokens, unless set.
    public var authenticate: StaticString?
    /// The codings that content may have, for 415.
    public var acceptEncoding: StaticString?

    public init(
        _ status: HTTPStatus,
        _ code: String,
        _ korean: String,
        _ english: String,
        retryAfter: UInt32? = nil,
        allow: StaticString? = nil,
        authenticate: StaticString? = nil,
        acceptEncoding: StaticString? = nil
    ) {
        self.status = status
        self.code = code
        self.korean = korean
        self.english = english
        self.retryAfter = retryAfter
        self.allow = allow
        self.authenticate = authenticate ?? (status == .unauthorized ? "ConcertToken" : nil)
        self.acceptEncoding = acceptEncoding
    }

    // MARK: Of the request itself

    /// A query or body that can't be read. The reason is in English in both languages: it is for developers of clients.
    public init(_ error: InputError) {
        self.init(.badRequest, error.code.rawValue, "잘못된 요청입니다. \(error)", "The request can't be read: \(error).")
    }

    /// A field that was read and whose value is not allowed. `rule` says what is allowed.
    public static func fieldInvalid(_ name: StaticString, _ rule: String) -> Problem {
        Problem(
            .badRequest,
            "FIELD_INVALID",
            "\(name) 값이 올바르지 않습니다. (\(rule))",
            "`\(name)` is not valid: it must be \(rule)."
        )
    }

    public static let notFound = Problem(
        .notFound,
        "NOT_FOUND",
        "존재하지 않는 경로입니다.",
        "There is nothing at this path."
    )

    public static func methodNotAllowed(_ allow: StaticString) -> Problem {
        Problem(
            .methodNotAllowed,
            "METHOD_NOT_ALLOWED",
            "지원하지 않는 메서드입니다. 사용 가능: \(allow)",
            "This path answers \(allow) only.",
            allow: allow
        )
    }

    public static let requestTimeout = Problem(
        .requestTimeout,
        "REQUEST_TIMEOUT",
        "요청을 제시간에 받지 못했습니다.",
        "The request did not arrive in time. Send it again on a new connection."
    )

    /// A request that is not HTTP, or exceeds the limits. The reason is in English in both languages: it is for
    /// developers of clients; people never see it.
    public init(_ refusal: HTTPRefusal) {
        self.init(
            refusal.status,
            "\(refusal.code)",
            "잘못된 HTTP 요청입니다. \(refusal.reason)",
            "\(refusal.reason)"
        )
    }

    /// A request that is sound HTTP and asks for something unsupported: nothing was done.
    public init(_ rejection: HTTPRejection) {
        self =
            switch rejection {
            case .contentCoding:
                Problem(
                    .unsupportedMediaType,
                    "CONTENT_CODING_UNSUPPORTED",
                    "지원하지 않는 Content-Encoding입니다. 압축하지 않은 본문을 Content-Encoding 헤더 없이 보내주세요.",
                    "Content-Encoding names a coding that is not supported. Nothing was done. Send the content uncompressed, "
                        + "without the header Content-Encoding.",
                    acceptEncoding: "identity"
                )
            case .contentRange:
                Problem(
                    .badRequest,
                    "CONTENT_RANGE_UNSUPPORTED",
                    "Content-Range를 사용한 부분 요청은 지원하지 않습니다. 전체 내용을 Content-Range 헤더 없이 보내주세요.",
                    "Content-Range asks for a change by a part of the content, which is not supported. Nothing was done. Send "
                        + "all of it, without the header Content-Range."
                )
            case .precondition:
                Problem(
                    .preconditionFailed,
                    "PRECONDITION_FAILED",
                    "If-Match 조건을 만족하지 않습니다. If-Match 헤더 없이 보내주세요.",
                    "If-Match does not hold: nothing that can be changed here has an entity tag. Nothing was done. Send the "
                        + "request without the header If-Match."
                )
            }
    }

    public static let idempotencyKeyInvalid = Problem(
        .badRequest,
        "IDEMPOTENCY_KEY_INVALID",
        "Idempotency-Key 헤더 값이 올바르지 않습니다. 공백 없는 ASCII 문자 1~\(IdempotencyKey.bytesMax)자여야 합니다.",
        "Idempotency-Key is not valid: it must be 1 to \(IdempotencyKey.bytesMax) visible ASCII characters, no spaces."
    )

    // MARK: Of tokens

    /// The same for a token as sent: of a text longer than a token, only the longest token's length is repeated.
    static func tokenNotFound(_ sent: ByteView) -> Problem {
        guard sent.count > TokenText.bytesMax else { return self.tokenNotFound(sent.text) }
        return self.tokenNotFound(sent.part(0, TokenText.bytesMax).text + "…")
    }

    /// The contract's words for a token that is unknown, expired, used up, or of another concert.
    public static func tokenNotFound(_ token: String) -> Problem {
        Problem(
            .badRequest,
            "TOKEN_NOT_FOUND",
            "tokenId=\(token)에 해당하는 토큰이 없습니다.",
            "There is no token tokenId=\(token). Join the line again with POST /api/v1/waiting."
        )
    }

    public static let tokenMissing = Problem(
        .unauthorized,
        "TOKEN_MISSING",
        "X-Concert-Token 헤더에 토큰이 필요합니다.",
        "The header X-Concert-Token is missing. Get a token with POST /api/v1/waiting."
    )

    public static let tokenInvalid = Problem(
        .unauthorized,
        "TOKEN_INVALID",
        "유효하지 않은 토큰입니다. 대기열에 다시 등록해주세요.",
        "The token is not valid for this concert any more. Join the line again with POST /api/v1/waiting."
    )

    public static let tokenNotAdmitted = Problem(
        .unauthorized,
        "TOKEN_NOT_ADMITTED",
        "아직 입장 순서가 아닙니다. 대기열에서 기다려주세요.",
        "It is not your turn yet. Poll GET /api/v1/waiting until remainingWaitingOrder is 0."
    )

    // MARK: Of the shards' refusals

    /// The problem for a refusal. `asksForPlace` is true for the calls that show or leave a place in line, which answer
    /// 400 with the token's text where the others answer 401.
    public init(_ refusal: Refusal, token: String, asksForPlace: Bool) {
        self =
            switch refusal {
            case .tokenUnknown: asksForPlace ? .tokenNotFound(token) : .tokenInvalid
            case .notAdmitted: .tokenNotAdmitted
            case .unknownConcert:
                Problem(
                    .badRequest,
                    "CONCERT_NOT_FOUND",
                    "존재하지 않는 콘서트입니다.",
                    "There is no such concert. See GET /api/v1/concerts."
                )
            case .concertOver:
                Problem(
                    .badRequest,
                    "CONCERT_OVER",
                    "이미 종료된 공연입니다. 다른 공연을 선택해주세요.",
                    "This concert is over: its last play has begun. Choose another one, see GET /api/v1/concerts."
                )
            case .noSuchSchedule:
                Problem(
                    .badRequest,
                    "SCHEDULE_NOT_FOUND",
                    "존재하지 않는 공연 일정입니다.",
                    "There is no such schedule of this concert. See GET /api/v1/concert/schedules."
                )
            case .scheduleOver:
                Problem(
                    .badRequest,
                    "SCHEDULE_OVER",
                    "이미 시작된 공연입니다.",
                    "This play has begun already. Choose a later schedule."
                )
            case .noSuchSeat:
                Problem(
                    .badRequest,
                    "SEAT_NOT_FOUND",
                    "존재하지 않는 좌석입니다.",
                    "The hall has no such seat. See GET /api/v1/concert/seats."
                )
            case .seatTaken:
                Problem(.badRequest, "SEAT_TAKEN", "이미 예약중인 좌석입니다.", "A seat is held or sold already. Choose others.")
            case .noSeats:
                Problem(.badRequest, "SEATS_MISSING", "좌석을 선택해주세요.", "seatIds is empty. Name at least one seat.")
            case .tooManySeats:
                Problem(
                    .badRequest,
                    "TOO_MANY_SEATS",
                    "한번에 예약 가능한 좌석 수를 초과했습니다.",
                    "These are more seats than one reservation may take. Ask for fewer."
                )
            case .seatsPerUserExceeded:
                Problem(
                    .badRequest,
                    "SEATS_PER_USER_EXCEEDED",
                    "1인당 예약 가능한 좌석 수를 초과했습니다.",
                    "With these seats you would have more of this concert than one user may. Pay for or give back what you "
                        + "hold, or ask for fewer."
                )
            case .stayOver:
                Problem(
                    .badRequest,
                    "STAY_OVER",
                    "입장 가능 시간이 지나 새로운 좌석을 예약할 수 없습니다. 선점한 좌석은 만료 시각까지 결제하거나 반납할 수 있습니다.",
                    "Your time inside is over, so you can reserve no more seats. Those that you hold can be paid for or given "
                        + "back until they expire."
                )
            case .seatKeptTooLong:
                Problem(
                    .badRequest,
                    "SEAT_KEPT_TOO_LONG",
                    "같은 좌석을 계속 선점할 수 없습니다. 다른 사람에게 10초 동안 기회를 준 뒤 다시 시도해주세요.",
                    "You have held this seat for as long as one hold lasts. It is free to others for 10 seconds first; then "
                        + "you may reserve it again.",
                    retryAfter: 10
                )
            case .duplicateSeat:
                Problem(
                    .badRequest,
                    "SEAT_REPEATED",
                    "같은 좌석을 두 번 선택했습니다.",
                    "seatIds names a seat twice. Name each once."
                )
            case .noSuchReservation:
                Problem(
                    .badRequest,
                    "RESERVATION_NOT_FOUND",
                    "존재하지 않는 예약입니다.",
                    "There is no such reservation of yours. See GET /api/v1/reservation."
                )
            case .noReservations:
                Problem(
                    .badRequest,
                    "RESERVATIONS_MISSING",
                    "예약을 선택해주세요.",
                    "reservationIds is empty. Name at least one."
                )
            case .duplicateReservation:
                Problem(
                    .badRequest,
                    "RESERVATION_REPEATED",
                    "같은 예약을 두 번 선택했습니다.",
                    "reservationIds names one twice. Name each once."
                )
            case .holdExpired:
                Problem(
                    .badRequest,
                    "HOLD_EXPIRED",
                    "좌석 선점 시간이 만료되었습니다. 다시 시도해주세요.",
                    "The seats were not paid in time and are free again. Reserve again."
                )
            case .alreadyPaid: Problem(.badRequest, "ALREADY_PAID", "이미 결제된 예약입니다.", "A reservation is paid already.")
            case .paymentInProgress:
                Problem(
                    .conflict,
                    "PAYMENT_IN_PROGRESS",
                    "결제가 진행 중인 예약입니다. 잠시 후 다시 시도해주세요.",
                    "A payment of this reservation is under way. Try again in a moment.",
                    retryAfter: 1
                )
            case .notPaid:
                Problem(
                    .badRequest,
                    "NOT_PAID",
                    "결제되지 않은 예약입니다.",
                    "A reservation is not paid, so there is nothing to cancel. Give held seats back with DELETE "
                        + "/api/v1/reservation."
                )
            case .cancelTooLate:
                Problem(
                    .badRequest,
                    "CANCEL_TOO_LATE",
                    "취소 가능 기간이 지났습니다.",
                    "It is too late to cancel: too long after the payment, or too short before the play."
                )
            case .alreadyCancelled:
                Problem(
                    .badRequest,
                    "ALREADY_CANCELLED",
                    "이미 취소된 예약입니다.",
                    "A reservation is cancelled already. See GET /api/v1/reservation."
                )
            case .cancelInProgress:
                Problem(
                    .conflict,
                    "CANCEL_IN_PROGRESS",
                    "취소가 진행 중인 예약입니다. 잠시 후 다시 시도해주세요.",
                    "A reservation is being cancelled, together with others. Try again in a moment.",
                    retryAfter: 1
                )
            case .insufficientPoints:
                Problem(
                    .badRequest,
                    "INSUFFICIENT_POINTS",
                    "잔액이 부족합니다.",
                    "There are not enough points. Charge them with POST /api/v1/point/charge."
                )
            case .chargeNotPositive:
                Problem(.badRequest, "AMOUNT_NOT_POSITIVE", "0 이하의 금액을 충전할 수 없습니다.", "amount must be at least 1.")
            case .useNotPositive:
                Problem(.badRequest, "AMOUNT_NOT_POSITIVE", "0 이하의 금액을 사용할 수 없습니다.", "amount must be at least 1.")
            case .chargeTooLarge:
                Problem(
                    .badRequest,
                    "CHARGE_TOO_LARGE",
                    "한번에 충전 가능한 금액을 초과했습니다.",
                    "One charge may bring at most \(Points.chargeMax) points."
                )
            case .balanceTooLarge:
                Problem(
                    .badRequest,
                    "BALANCE_TOO_LARGE",
                    "최대 잔고를 초과하여 충전할 수 없습니다.",
                    "A balance may be at most \(Points.balanceMax) points."
                )
            case .keyReused:
                Problem(
                    .unprocessableContent,
                    "IDEMPOTENCY_KEY_REUSED",
                    "다른 요청에 이미 사용된 Idempotency-Key입니다. 새로운 키로 다시 시도해주세요.",
                    "This Idempotency-Key came before with another request. Use a new key for each request."
                )
            case .tooManyKeys:
                Problem(
                    .tooManyRequests,
                    "TOO_MANY_IDEMPOTENCY_KEYS",
                    "Idempotency-Key를 너무 많이 사용했습니다. 나중에 다시 시도해주세요.",
                    "Nothing was done: as many keys of this user are kept already as may be, for a day each. "
                        + "Send fewer, or go on without.",
                    retryAfter: 3_600
                )
            case .tooManyKeysOfAddress:
                Problem(
                    .tooManyRequests,
                    "TOO_MANY_IDEMPOTENCY_KEYS_OF_ADDRESS",
                    "같은 주소에서 Idempotency-Key를 너무 많이 사용했습니다. 나중에 다시 시도해주세요.",
                    "Nothing was done: as many keys from your address are kept already as may be, for a day each. "
                        + "Send fewer, or go on without.",
                    retryAfter: 3_600
                )
            case .keysFull:
                Problem(
                    .serviceUnavailable,
                    "IDEMPOTENCY_KEYS_FULL",
                    "보관 중인 Idempotency-Key가 너무 많습니다. 키 없이 요청하거나 나중에 다시 시도해주세요.",
                    "Nothing was done: as many keys are kept already as may be, for a day each. Go on without one, or try "
                        + "again after the seconds of Retry-After.",
                    retryAfter: 3_600
                )
            case .overloaded:
                Problem(
                    .serviceUnavailable,
                    "OVERLOADED",
                    "요청이 많아 처리할 수 없습니다. 잠시 후 다시 시도해주세요.",
                    "Too many requests are under way. Try again in a moment.",
                    retryAfter: 1
                )
            case .storageUnavailable:
                Problem(
                    .serviceUnavailable,
                    "STORAGE_UNAVAILABLE",
                    "저장 공간에 문제가 있어 지금은 변경할 수 없습니다. 조회는 가능합니다. 잠시 후 다시 시도해주세요.",
                    "Nothing can be changed for now, because it could not be kept; nothing was. Reading works. "
                        + "Try again in some seconds.",
                    retryAfter: 5
                )
            case .clockSuspended:
                Problem(
                    .serviceUnavailable,
                    "CLOCK_SUSPENDED",
                    "서버 시계에 문제가 있어 지금은 변경할 수 없습니다. 조회는 가능합니다. 잠시 후 다시 시도해주세요.",
                    "Nothing can be changed for now, because the server's clock is wrong; nothing was. Reading works. "
                        + "Try again in some seconds.",
                    retryAfter: 5
                )
            case .transferConflict, .transferForgotten:
                Problem(
                    .serviceUnavailable,
                    "TRANSFER_CONFLICT",
                    "일시적인 오류로 처리되지 않았습니다. 포인트와 좌석은 그대로입니다. 다시 시도해주세요.",
                    "Nothing was paid or cancelled: the number of this transfer of points was used before. Try again; with "
                        + "an Idempotency-Key, under a new one.",
                    retryAfter: 1
                )
            case .unavailable, .wrongShard:
                Problem(
                    .serviceUnavailable,
                    "UNAVAILABLE",
                    "일시적으로 서비스를 이용할 수 없습니다. 잠시 후 다시 시도해주세요.",
                    "This part of the service is away for a moment. Try again in a second.",
                    retryAfter: 1
                )
            }
    }
}
