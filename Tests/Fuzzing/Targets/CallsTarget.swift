import Booking
import Wire

/// From HTTP requests to calls: query, body and token. A request to a shard survives its frame; a refusal is a whole
/// answer, whatever it repeats of the request; nobody is taken for another user.
///
/// The input is a stream of requests from a client.
enum CallsTarget {
    private static let router = Router(catalogue: Stage.catalogue, tokens: Stage.ring)

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        var parser = HTTPRequestParser()
        parser.feed(input)
        while true {
            switch parser.next() {
            case .request(let request): try self.check(request)
            case .continueExpected: continue
            case .refused(let refusal):
                let options = AnswerWriter.ResponseOptions(method: .get, connection: .close, language: .english)
                try self.checkAnswer(Problem(refusal), options)
            case .needsMore: return
            }
        }
    }

    private static func check(_ request: HTTPRequest) throws(BrokenProperty) {
        let options = AnswerWriter.ResponseOptions(
            method: request.method,
            connection: request.connection,
            language: Language(accepting: request[.acceptLanguage])
        )
        let routed: RoutedCall
        do throws(Problem) { routed = try self.router.route(request) } catch {
            return try self.checkAnswer(error, options)
        }
        switch routed.call {
        case .ask(let question):
            try self.checkPass(of: question, request)
            try self.checkFrame(question, routed.key)
        case .schedules(let concert):
            try require(Stage.catalogue[concert] != nil, "somebody asks for a concert that is not there")
        case .concerts:
            try self.checkCached(Stage.writer.concertsBody(at: Stage.secondKeyFrom), request, options)
        case .document: try self.checkCached(Array("{}".utf8), request, options)
        case .options(let allow):
            var output = OutputBytes()
            let status = Stage.writer.appendOptions(allow: allow, options, date: Stage.date, to: &output)
            try Stage.check(output, options.method, status)
        }
    }

    private static func checkCached(
        _ body: [UInt8],
        _ request: HTTPRequest,
        _ options: AnswerWriter.ResponseOptions
    ) throws(BrokenProperty) {
        var output = OutputBytes()
        let status = Stage.writer.append(
            cached: CachedBody(body),
            ifNoneMatch: request[.ifNoneMatch],
            options,
            date: Stage.date,
            to: &output
        )
        try Stage.check(output, options.method, status)
    }

    /// A request with a pass comes only from a client with its token.
    private static func checkPass(of question: Request, _ request: HTTPRequest) throws(BrokenProperty) {
        switch question {
        case .poll(let pass), .leave(let pass), .reserve(let pass, _, _), .release(let pass, _), .pay(let pass, _):
            let token = request[.concertToken]?.text ?? ""
            try require(Stage.ring.sign(pass) == token, "\(pass) came without its token")
        case .join, .schedules, .seats, .reservations, .cancel, .charge, .use, .balance, .history: break
        case .transfer, .transfersSeen, .claim: throw BrokenProperty("a client asked what only shards ask: \(question)")
        }
    }

    private static func checkFrame(_ question: Request, _ key: OperationID?) throws(BrokenProperty) {
        try require(key == nil || question.mutatingUser != nil, "a question that changes nothing has a key")
        var bytes = FrameBytes()
        var again: Request?
        do throws(WireError) {
            try question.encode(into: &bytes, slot: question.slot, requestID: 7, key: key.map { ClientKey($0) })
            var decoder = FrameDecoder()
            try bytes.withUnsafeBytes { (bytes) throws(WireError) in
                try decoder.feed(bytes) { frame throws(WireError) in
                    again = try Request(frame: frame)
                    let operation = try frame.operation(ofLife: 1)
                    guard key == nil || operation?.id == key else { throw WireError("its key is another") }
                }
            }
        } catch { throw BrokenProperty("\(question) does not survive its frame: \(error)") }
        try require(again == question, "\(question) comes out of its frame as \(String(describing: again))")
    }

    private static func checkAnswer(_ problem: Problem, _ options: AnswerWriter.ResponseOptions) throws(BrokenProperty)
    {
        var scratch = OutputBytes()
        var output = OutputBytes()
        let status = Stage.writer.append(problem, options, date: Stage.date, scratch: &scratch, to: &output)
        try require(status.rawValue >= 400, "a refusal is answered with \(status)")
        try Stage.check(output, options.method, status)
    }
}
