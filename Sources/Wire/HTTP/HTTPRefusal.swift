/// Why the parser refused a request. The connection has to be closed afterwards: the start of the next request is not
/// known, or not worth finding.
public enum HTTPRefusal: UInt8, Error, CaseIterable, Sendable {
    case methodInvalid, methodUnknown, requestLineInvalid, tooManyEmptyLines
    case targetInvalid, targetTooLong, targetFormInvalid, targetSchemeInvalid
    case versionInvalid, versionUnsupported
    case bareLineFeed, bareCarriageReturn
    case headerFolded, spaceBeforeColon, headerNameInvalid, headerValueInvalid, headerRepeated
    case headersTooLarge, headersTooMany
    case hostMissing, hostRepeated, hostInvalid
    case contentLengthInvalid, contentLengthRepeated, lengthAmbiguous
    case transferEncodingInvalid, transferEncodingRepeated, transferEncodingInOldVersion, transferCodingUnknown
    case chunkSizeInvalid, chunkDataInvalid, chunkExtensionTooLong, chunksTooMany
    case bodyTooLarge
    case expectationUnknown

    /// The status code of the answer.
    public var status: HTTPStatus {
        switch self {
        case .methodUnknown, .transferCodingUnknown: .notImplemented
        case .versionUnsupported: .versionNotSupported
        case .targetTooLong: .uriTooLong
        case .headersTooLarge, .headersTooMany: .headerFieldsTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .expectationUnknown: .expectationFailed
        case .methodInvalid, .requestLineInvalid, .tooManyEmptyLines, .targetInvalid, .targetFormInvalid,
            .targetSchemeInvalid, .versionInvalid, .bareLineFeed, .bareCarriageReturn, .headerFolded,
            .spaceBeforeColon, .headerNameInvalid, .headerValueInvalid, .headerRepeated, .hostMissing, .hostRepeated,
            .hostInvalid, .contentLengthInvalid, .contentLengthRepeated, .lengthAmbiguous, .transferEncodingInvalid,
            .transferEncodingRepeated, .transferEncodingInOldVersion, .chunkSizeInvalid, .chunkDataInvalid,
            .chunkExtensionTooLong, .chunksTooMany:
            .badRequest
        }
    }

    /// Stable, upper case, for programs.
    public var code: StaticString { self.wording.code }
    /// For people, in English, without anything from the request.
    public var reason: StaticString { self.wording.reason }

    private var wording: (code: StaticString, reason: StaticString) {
        switch self {
        case .methodInvalid: ("METHOD_INVALID", "The method is not a token.")
        case .methodUnknown: ("METHOD_UNKNOWN", "The method is not known here.")
        case .requestLineInvalid: ("REQUEST_LINE_INVALID", "The request line is not `method target version`.")
        case .tooManyEmptyLines: ("TOO_MANY_EMPTY_LINES", "Too many empty lines before the request.")
        case .targetInvalid: ("TARGET_INVALID", "The request target holds a character that a URI may not hold.")
        case .targetTooLong: ("TARGET_TOO_LONG", "The request target is too long.")
        case .targetFormInvalid: ("TARGET_FORM_INVALID", "The request target has not the form that its method needs.")
        case .targetSchemeInvalid: ("TARGET_SCHEME_INVALID", "The scheme of the request target is not http or https.")
        case .versionInvalid: ("VERSION_INVALID", "The version is not `HTTP/digit.digit`.")
        case .versionUnsupported: ("VERSION_UNSUPPORTED", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        case .bareLineFeed: ("BARE_LF", "A line ends without a carriage return.")
        case .bareCarriageReturn: ("BARE_CR", "A carriage return is not followed by a line feed.")
        case .headerFolded: ("HEADER_FOLDED", "A header line starts with a space or tab.")
        case .spaceBeforeColon: ("SPACE_BEFORE_COLON", "A space stands between a header's name and its colon.")
        case .headerNameInvalid: ("HEADER_NAME_INVALID", "A header's name is not a token.")
        case .headerValueInvalid: ("HEADER_VALUE_INVALID", "A header's value holds a control character.")
        case .headerRepeated: ("HEADER_REPEATED", "A header that may be sent once was sent twice.")
        case .headersTooLarge: ("HEADERS_TOO_LARGE", "The headers are too large.")
        case .headersTooMany: ("HEADERS_TOO_MANY", "There are too many headers.")
        case .hostMissing: ("HOST_MISSING", "HTTP/1.1 needs a Host header.")
        case .hostRepeated: ("HOST_REPEATED", "There is more than one Host header.")
        case .hostInvalid: ("HOST_INVALID", "The host is not `name` or `name:port`.")
        case .contentLengthInvalid: ("CONTENT_LENGTH_INVALID", "Content-Length is not one whole number.")
        case .contentLengthRepeated: ("CONTENT_LENGTH_REPEATED", "There is more than one Content-Length header.")
        case .lengthAmbiguous: ("LENGTH_AMBIGUOUS", "Both Content-Length and Transfer-Encoding were sent.")
        case .transferEncodingInvalid: ("TRANSFER_ENCODING_INVALID", "Transfer-Encoding does not end in one `chunked`.")
        case .transferEncodingRepeated:
            ("TRANSFER_ENCODING_REPEATED", "There is more than one Transfer-Encoding header.")
        case .transferEncodingInOldVersion: ("TRANSFER_ENCODING_IN_1_0", "HTTP/1.0 has no Transfer-Encoding.")
        case .transferCodingUnknown: ("TRANSFER_CODING_UNKNOWN", "No transfer coding but chunked is known here.")
        case .chunkSizeInvalid: ("CHUNK_SIZE_INVALID", "A chunk's size is not a hexadecimal number on a line.")
        case .chunkDataInvalid: ("CHUNK_DATA_INVALID", "A chunk does not end where its size says.")
        case .chunkExtensionTooLong: ("CHUNK_EXTENSION_TOO_LONG", "The chunk extensions are too long.")
        case .chunksTooMany: ("CHUNKS_TOO_MANY", "The body comes in too many chunks.")
        case .bodyTooLarge: ("BODY_TOO_LARGE", "The body is too large.")
        case .expectationUnknown: ("EXPECTATION_UNKNOWN", "No expectation but 100-continue is known here.")
        }
    }
}
