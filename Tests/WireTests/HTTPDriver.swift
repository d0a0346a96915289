import Wire

/// A parser's event, copied out of its views.
enum Outcome: Equatable, CustomStringConvertible {
    case request(Seen)
    case continueExpected
    case refused(status: Int, code: String)

    /// One request. Texts are bytes read as Latin-1, so that all of them compare.
    struct Seen: Equatable {
        var method: HTTPMethod
        var form: HTTPRequest.TargetForm
        var path: String
        var query: String
        var host: String
        var body: String
        var connection: HTTPConnectionFate
        var headers: [String]
        var token: String?
    }

    var description: String {
        switch self {
        case .request(let seen): "\(seen)"
        case .continueExpected: "continue expected"
        case .refused(let status, let code): "\(status) \(code)"
        }
    }
}

enum HTTPDriver {
    static func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    static func latin1(_ view: ByteView) -> String {
        String(String.UnicodeScalarView(view.bytes.map { Unicode.Scalar($0) }))
    }

    /// Feeds `pieces` one after another, each from memory of its own that is overwritten and freed when the parser
    /// needs more. With `suspending`, the parser has to copy the rest after each event.
    static func run(
        _ pieces: [ArraySlice<UInt8>],
        limits: HTTPLimits = HTTPLimits(),
        suspending: Bool = false
    ) -> [Outcome] {
        var parser = HTTPRequestParser(limits: limits)
        var outcomes: [Outcome] = []
        for piece in pieces {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
            defer { memory.deallocate() }
            memory.copyBytes(from: piece)
            parser.feed(UnsafeRawBufferPointer(memory))
            reading: while true {
                switch parser.next() {
                case .request(let request): outcomes.append(.request(self.seen(request)))
                case .continueExpected: outcomes.append(.continueExpected)
                case .refused(let refusal):
                    outcomes.append(.refused(status: Int(refusal.status.rawValue), code: refusal.code.description))
                case .needsMore: break reading
                }
                guard suspending else { continue }
                parser.suspend()
                memory.initializeMemory(as: UInt8.self, repeating: 0xAA)
            }
            memory.initializeMemory(as: UInt8.self, repeating: 0xAA)
        }
        return outcomes
    }

    static func run(_ text: String, limits: HTTPLimits = HTTPLimits()) -> [Outcome] {
        self.run([self.bytes(text)[...]], limits: limits)
    }

    private static func seen(_ request: HTTPRequest) -> Outcome.Seen {
        Outcome.Seen(
            method: request.method,
            form: request.form,
            path: self.latin1(request.path),
            query: self.latin1(request.query),
            host: self.latin1(request.host),
            body: self.latin1(request.body),
            connection: request.connection,
            headers: request.headers.map { "\(self.latin1($0.name)): \(self.latin1($0.value))" },
            token: request[.concertToken].map(self.latin1)
        )
    }
}
