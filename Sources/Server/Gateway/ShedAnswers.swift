import Booking
import Wire

/// The 503 of a request that is shed, ready as bytes: one for each worth, language and fate of the connection, made anew when
/// the date has changed.
struct ShedAnswers {
    private let writer: AnswerWriter
    private var answers: [[UInt8]]
    private var second: Int64 = -1

    init(_ writer: AnswerWriter) {
        self.writer = writer
        self.answers = Array(repeating: [], count: 32)
    }

    mutating func answer(_ worth: Worth, _ manner: AnswerWriter.Manner, at date: HTTPDate) -> [UInt8] {
        if self.second != date.seconds {
            self.second = date.seconds
            for at in self.answers.indices { self.answers[at] = [] }
        }
        let isHead = manner.method == .head
        let index =
            Int(worth.rawValue) << 3 | Int(manner.connection.rawValue) << 1 | (manner.language == .english ? 1 : 0)
        // To HEAD the body is left out, and nobody sends that often.
        if isHead || self.answers[index].isEmpty {
            var scratch = OutputBytes()
            var output = OutputBytes()
            _ = self.writer.append(.shed(worth), manner, date: date, scratch: &scratch, to: &output)
            if isHead { return output.array }
            self.answers[index] = output.array
        }
        return self.answers[index]
    }
}
