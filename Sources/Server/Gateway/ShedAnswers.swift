import Booking
import Edge
import Wire

/// The 503 of requests that are shed, ready as bytes: one for each priority and response option. They are made once and kept for the life
/// of the process, so that a connection may hold on to one without a copy until its turn comes.
struct ShedAnswers {
    private let answers = Self.all

    func answer(_ priority: RequestPriority, _ options: AnswerWriter.ResponseOptions) -> ReadyAnswer {
        self.answers[Self.index(priority, options)]
    }

    private static func index(_ priority: RequestPriority, _ options: AnswerWriter.ResponseOptions) -> Int {
        let language = options.language == .english ? 1 : 0
        let body = options.method == .head ? 1 : 0
        return Int(priority.rawValue) << 4 | Int(options.connection.rawValue) << 2 | language << 1 | body
    }

    nonisolated(unsafe) private static let all: UnsafePointer<ReadyAnswer> = {
        let all = UnsafeMutablePointer<ReadyAnswer>.allocate(capacity: 64)
        for priority in RequestPriority.allCases {
            for connection in [HTTPConnectionFate.keep, .keepAliveExplicit, .close] {
                for language in [Language.korean, .english] {
                    for method in [HTTPMethod.get, .head] {
                        let options = AnswerWriter.ResponseOptions(
                            method: method,
                            connection: connection,
                            language: language
                        )
                        let bytes = AnswerWriter.bareAnswer(.shed(priority), options)
                        (all + Self.index(priority, options)).initialize(to: ReadyAnswer(bytes))
                    }
                }
            }
        }
        return UnsafePointer(all)
    }()
}
