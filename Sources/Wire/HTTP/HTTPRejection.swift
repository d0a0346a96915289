/// Why a request of sound HTTP is answered without being carried out: a header gives it a meaning that is not supported
/// here, and ignoring that header would do something that was not asked for. The start of the next request is known, so
/// the connection stays open.
///
/// Other headers that change a request's meaning are refused by the parser (`Transfer-Encoding`, `Expect`:
/// `HTTPRefusal`) or don't affect the result: `TE`, `Trailer`, `Range`, and the `charset` of `Content-Type`, as JSON is
/// always UTF-8 (RFC 8259, sections 8.1 and 11).
public enum HTTPRejection: UInt8, CaseIterable, Sendable {
    /// `Content-Encoding` names a coding other than `identity` (RFC 9110, sections 8.4 and 15.5.16).
    case contentCoding
    /// A change with `Content-Range`: a part of a representation (RFC 9110, section 14.5).
    case contentRange
    /// A change with `If-Match` and an entity tag: changeable resources have none (RFC 9110, section 13.1.1).
    case precondition
}
