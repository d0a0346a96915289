public import Wire

/// Cross-origin resource sharing (CORS; the Fetch standard, section 3.3): the field lines by which browsers let pages
/// of other origins read an answer.
///
///     empty list                     ──▶ nothing
///     no Origin, or an unlisted one  ──▶ Vary: Origin
///     a listed Origin                ──▶ Vary: Origin, Access-Control-Allow-Origin and others
///
/// The lines are inserted as an answer leaves its connection, so every answer has them, whatever made it: errors,
/// refusals, ready bytes.
///
/// Until the answer leaves, a number in `Gateway.Client.responseOptions` stands for a request's lines. Numbers and lines stay
/// valid for the life of the process, so the list may change in between.
public struct CrossOrigin {
    /// The number's lowest bit in a note; the bits below are `AnswerWriter.ResponseOptions`'s.
    private static let noteShift: UInt32 = 17
    /// The largest number that fits. Further origins, after many changes of the list, count as unlisted.
    private static let numberMax = 1 << 15 - 1

    private static let variesAlone = 1

    private(set) var list = OriginList()
    /// Indexed by number.
    private var lines: [UnsafeRawBufferPointer] = [
        UnsafeRawBufferPointer(start: nil, count: 0), Self.keep("Vary: Origin\r\n"),
    ]
    /// The number of each origin that is or was listed, and of those now listed, by their position in the list.
    private var numbers: [[UInt8]: Int] = [:]
    private var numbersOfList: [Int] = []
    private var noteWithout: UInt32 = 0

    init(_ list: OriginList) { self.use(list) }

    /// Applies another list. Requests in flight are answered by the former one.
    mutating func use(_ list: OriginList) {
        self.list = list
        self.noteWithout = list.isEmpty ? 0 : UInt32(Self.variesAlone) << Self.noteShift
        self.numbersOfList = list.origins.map { origin in
            if let number = self.numbers[origin] { return number }
            guard self.lines.count <= Self.numberMax else { return Self.variesAlone }
            self.numbers[origin] = self.lines.count
            self.lines.append(Self.keep(Self.fields(for: String(decoding: origin, as: UTF8.self))))
            return self.lines.count - 1
        }
    }

    /// Headers that a page could not read otherwise: all that the contract mentions, and `Age`, which caches before a
    /// gateway add.
    private static func fields(for origin: String) -> String {
        "Access-Control-Allow-Origin: \(origin)\r\nAccess-Control-Allow-Credentials: true\r\n"
            + "Access-Control-Expose-Headers: Accept-Encoding, Age, Allow, Date, ETag, Retry-After, WWW-Authenticate\r\n"
            + "Vary: Origin\r\n"
    }

    /// A copy that is never freed.
    private static func keep(_ text: String) -> UnsafeRawBufferPointer { ReadyAnswer(Array(text.utf8)).bytes }

    // MARK: Each request

    /// The bits of a request's note for its `Origin`.
    @inline(__always)
    func note(_ origin: ByteView?) -> UInt32 {
        guard let origin else { return self.noteWithout }
        return self.note(ofOrigin: origin)
    }

    private func note(ofOrigin origin: ByteView) -> UInt32 {
        guard let index = self.list.index(of: origin) else { return self.noteWithout }
        return UInt32(self.numbersOfList[index]) << Self.noteShift
    }

    /// Whether an answer needs no lines.
    @inline(__always)
    static func isNone(_ note: UInt32) -> Bool { note >> self.noteShift == 0 }

    /// The lines for the answer to a request with this note, each with its line end.
    public func lines(_ note: UInt32) -> UnsafeRawBufferPointer { self.lines[Int(note >> Self.noteShift)] }

    /// Whether a request is a preflight of a listed origin. `note` is its own.
    public func isPreflight(_ request: HTTPRequest, _ note: UInt32) -> Bool {
        request.method == .options && note >> Self.noteShift > Self.variesAlone
            && request.headers.contains { $0.name.isEqualIgnoringCase("access-control-request-method") }
    }
}
