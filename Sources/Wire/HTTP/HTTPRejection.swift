/// Why a request is answered without being carried out though it is sound HTTP: a header gives it a meaning that is not
/// supported here, and carrying it out without that header would do something that was not asked for. Where the next
/// request starts is known, so the connection stays open.
///
/// What else changes the meaning of a request is refused by the parser (`Transfer-Encoding`, `Expect`: `HTTPRefusal`) or
/// does not change what is done: `TE`, `Trailer`, `Range`, and the `charset` of `Content-Type`, as JSON is UTF-8 whatever
/// that says (RFC 8259, sections 8.1 and 11).
public enum HTTPRejection: UInt8, CaseIterable, Sendable {
    /// `Content-Encoding` names a coding other than `identity` (RFC 9110, sections 8.4 and 15.5.16).
    case contentCoding
    /// A change with `Content-Range`: a part of a representation (RFC 9110, section 14.5).
    case contentRange
    /// A change with `If-Match` and an entity tag: nothing that can be changed has one (RFC 9110, section 13.1.1).
    case precondition
}
