import Booking
import Edge
import Wire

/// The 503 of requests that are shed, ready as bytes: one for each worth and manner. They are made once and kept for the life
/// of the process, so that a connection may hold on to one without a copy until its turn comes.
struct ShedAnswers {
    private let answers = Self.all

    func answer(_ worth: Worth, _ manner: AnswerWriter.Manner) -> ReadyAnswer {
        self.answers[Self.index(worth, manner)]
    }

    private static func index(_ worth: Worth, _ manner: AnswerWriter.Manner) -> Int {
        let language = manner.language == .english ? 1 : 0
        let body = manner.method == .head ? 1 : 0
        return Int(worth.rawValue) << 4 | Int(manner.connection.rawValue) << 2 | language << 1 | body
    }

    nonisolated(unsafe) private static let all: UnsafePointer<ReadyAnswer> = {
        let all = UnsafeMutablePointer<ReadyAnswer>.allocate(capacity: 64)
        for worth in Worth.allCases {
            for connection in [HTTPConnectionFate.keep, .keepAndSay, .close] {
                for language in [Language.korean, .english] {
                    for method in [HTTPMethod.get, .head] {
                        let manner = AnswerWriter.Manner(method: method, connection: connection, language: language)
                        let bytes = AnswerWriter.bareAnswer(.shed(worth), manner)
                        (all + Self.index(worth, manner)).initialize(to: ReadyAnswer(bytes))
                    }
                }
            }
        }
        return UnsafePointer(all)
    }()
}
