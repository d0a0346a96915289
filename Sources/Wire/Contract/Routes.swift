import Booking

/// The table of routes. A new call is a row here and what the row names: how it is decoded, answered and documented
/// (`Calls/`). In the order in which the contract's page has them.
extension Route {
    static let all: [Route] = [
        Route(
            .get,
            "/api/v1/concerts",
            named: "concerts",
            decode: { _, _ in RoutedCall(.concerts) },
            cacheControl: AnswerWriter.publicCache,
            document: ContractDocument.concerts
        ),
        Route(
            .get,
            "/api/v1/concert/schedules",
            .schedules,
            decode: { try $0.schedules($1) },
            answer: { $0.schedules($1, $2, &$5) },
            cacheControl: AnswerWriter.publicCache,
            bodyBytesMax: { $0.schedulesBytesMax($1) },
            document: ContractDocument.schedules
        ),
        Route(
            .get,
            "/api/v1/concert/seats",
            .seats,
            decode: { try $0.seats($1) },
            answer: { $0.seats($1, $2, &$5) },
            bodyBytesMax: { $0.seatsBytesMax($1) },
            document: ContractDocument.seats
        ),
        Route(
            .post,
            "/api/v1/waiting",
            .join,
            decode: { try $0.join($1) },
            answer: { $0.joined($1, $2, $3, &$4, &$5) },
            glance: .body,
            document: ContractDocument.join
        ),
        Route(
            .get,
            "/api/v1/waiting",
            .poll,
            decode: { try $0.poll($1) },
            answer: { $0.standing($1, $2, $3, &$4, &$5) },
            glance: .query,
            asksForPlace: true,
            document: ContractDocument.poll
        ),
        Route(
            .delete,
            "/api/v1/waiting",
            .leave,
            decode: { try $0.leave($1) },
            answer: { $0.left($1, $2, $3, &$5) },
            asksForPlace: true,
            document: ContractDocument.leave
        ),
        Route(
            .post,
            "/api/v1/reservation",
            .reserve,
            decode: { try $0.reserve($1) },
            answer: { $0.reservations($1, $2, &$5) },
            glance: .bodyWithoutKey,
            document: ContractDocument.reserve
        ),
        Route(
            .get,
            "/api/v1/reservation",
            .reservations,
            decode: { try $0.reservations($1) },
            answer: { $0.reservations($1, $2, &$5) },
            bodyBytesMax: { $0.reservationsBytesMax($1) },
            document: ContractDocument.reservations
        ),
        Route(
            .delete,
            "/api/v1/reservation",
            .release,
            decode: { try $0.release($1) },
            answer: { $0.reservations($1, $2, &$5) },
            document: ContractDocument.release
        ),
        Route(
            .post,
            "/api/v1/reservation/cancel",
            .cancel,
            decode: { try $0.cancel($1) },
            answer: { $0.receipt($1, $2, &$5) },
            document: ContractDocument.cancel
        ),
        Route(
            .post,
            "/api/v1/payment",
            .pay,
            decode: { try $0.pay($1) },
            answer: { $0.receipt($1, $2, &$5) },
            document: ContractDocument.pay
        ),
        Route(
            .post,
            "/api/v1/point/charge",
            .charge,
            decode: { try $0.charge($1) },
            answer: { $0.pointsChange($1, $2, &$5) },
            document: ContractDocument.charge
        ),
        Route(
            .post,
            "/api/v1/point/use",
            .use,
            decode: { try $0.use($1) },
            answer: { $0.pointsChange($1, $2, &$5) },
            document: ContractDocument.use
        ),
        Route(
            .get,
            "/api/v1/point",
            .balance,
            decode: { try $0.balance($1) },
            answer: { $0.balance($1, $2, &$5) },
            document: ContractDocument.balance
        ),
        Route(
            .get,
            "/api/v1/point-history",
            .history,
            decode: { try $0.history($1) },
            answer: { $0.history($1, $2, &$5) },
            bodyBytesMax: { $0.historyBytesMax($1) },
            document: ContractDocument.history
        ),
        Route(
            .get,
            "/openapi.json",
            named: "document",
            decode: { _, _ in RoutedCall(.document) },
            cacheControl: AnswerWriter.contractCache,
            document: ContractDocument.document
        ),
    ]
}
