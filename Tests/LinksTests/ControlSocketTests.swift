import FoundationEssentials
import Reactor
import Testing

@testable import Links

@Suite struct ControlSocketTests {
    /// What one who sends `text` hears, and the questions that the supervisor's side hears.
    private static func ask(
        _ text: String,
        answer: @escaping (ControlSocket.Asker) -> Void = { $0.end(done: "done") }
    ) throws -> (answers: [ControlSocket.Answer], questions: [ControlSocket.Question]) {
        let path = "/tmp/usher-t\(UInt32.random(in: 0 ... .max)).sock"
        let loop = try EventLoop()
        var questions: [ControlSocket.Question] = []
        let server = try ControlSocket(on: loop, path: path) { question, asker in
            questions.append(question)
            answer(asker)
        }
        let client = try Connection(on: loop, toPath: path)
        var reader = LineReader(bytesMax: ControlSocket.answerBytesMax)
        var lines: [String] = []
        client.onRead = { reader.append($0) { lines.append($0) } }
        client.onEnd = { [unowned client] _ in
            client.close()
            server.close()
        }
        client.append(text)
        client.startReading()
        loop.run()
        loop.close()
        let answers = try lines.map { try JSONDecoder().decode(ControlSocket.Answer.self, from: Data($0.utf8)) }
        return (answers, questions)
    }

    @Test func `a question is answered step by step, and only the first`() throws {
        let restart = ControlSocket.Question(command: .restart, roles: ["gateway"])
        let reload = ControlSocket.Question(command: .reload)
        let (answers, questions) = try Self.ask(ControlSocket.line(restart) + ControlSocket.line(reload)) {
            $0.tell(progress: "one")
            $0.tell(progress: "two\nlines")
            $0.end(failed: "why")
        }
        #expect(questions == [restart])
        #expect(answers == [.init(progress: "one"), .init(progress: "two\nlines"), .init(failed: "why")])
    }

    @Test(arguments: ["", "restart", "{}", #"{"command":"dance"}"#, String(repeating: "{", count: 100_000)])
    func `what is no question is refused in words`(line: String) throws {
        let (answers, questions) = try Self.ask(line + "\n")
        #expect(questions == [])
        #expect(answers.count == 1 && answers[0].failed?.contains("does not know this request") == true)
    }

    @Test func `lines are cut from pieces, and an endless one is cut off`() {
        var reader = LineReader()
        var lines: [String] = []
        let text = "one\n\ntwo" + String(repeating: "o", count: 2 * LineReader.lineBytesMax) + "\nthree"
        for byte in Array(text.utf8) { [byte].withUnsafeBytes { reader.append($0) { lines.append($0) } } }
        #expect(lines.count == 3 && lines[0] == "one" && lines[1] == "")
        #expect(lines[2].utf8.count == LineReader.lineBytesMax)
    }
}
