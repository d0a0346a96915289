/// What is wrong with a request's query or body, in words for its sender. Answered with 400; the connection stays open.
public struct InputError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, CaseIterable, Sendable {
        // The query.
        case escapeInvalid = "ESCAPE_INVALID"
        case textInvalid = "TEXT_INVALID"
        case parametersTooMany = "PARAMETERS_TOO_MANY"
        // The text of a JSON body.
        case bodyEmpty = "BODY_EMPTY"
        case jsonInvalid = "JSON_INVALID"
        case jsonByteOrderMark = "JSON_BYTE_ORDER_MARK"
        case jsonTextInvalid = "JSON_TEXT_INVALID"
        case jsonEscapeInvalid = "JSON_ESCAPE_INVALID"
        case jsonNumberInvalid = "JSON_NUMBER_INVALID"
        case jsonTooDeep = "JSON_TOO_DEEP"
        case jsonTooManyMembers = "JSON_TOO_MANY_MEMBERS"
        case jsonTooManyValues = "JSON_TOO_MANY_VALUES"
        case jsonTrailingBytes = "JSON_TRAILING_BYTES"
        case jsonNotObject = "JSON_NOT_OBJECT"
        // One field of a query or body.
        case fieldMissing = "FIELD_MISSING"
        case fieldRepeated = "FIELD_REPEATED"
        case fieldTypeInvalid = "FIELD_TYPE_INVALID"
        case numberInvalid = "NUMBER_INVALID"
        case numberNotInteger = "NUMBER_NOT_INTEGER"
        case numberOutOfRange = "NUMBER_OUT_OF_RANGE"
        case listTooLong = "LIST_TOO_LONG"
        case stringTooLong = "STRING_TOO_LONG"
    }

    /// Stable; its raw value is for programs.
    public let code: Code
    /// The field concerned; nil when the error is not about one field.
    public let field: String?
    /// The offset of the error in the body or query, from 0; nil when an offset says nothing.
    public let offset: Int?
    /// A sentence in English that starts with a small letter and follows the field's name, if there is one.
    public let reason: String

    public init(_ code: Code, field: StaticString? = nil, offset: Int? = nil, _ reason: StaticString) {
        self.code = code
        self.field = field?.description
        self.offset = offset
        self.reason = reason.description
    }

    public var description: String {
        let place = self.offset.map { " (byte \($0))" } ?? ""
        return (self.field.map { "`\($0)` " } ?? "") + self.reason + place
    }
}
