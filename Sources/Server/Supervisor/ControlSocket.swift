import FoundationEssentials
import Logging
import Reactor

/// The supervisor's Unix socket, where its user asks for things that take a while: one question a connection.
///
///     tool ──{"command":"restart","roles":["gateway","shard"]}──▶ supervisor
///          ◀─{"progress":"..."}───────────────────────────────── any number
///          ◀─{"done":"..."} or {"failed":"..."}───────────────── the last line
///          ──{"command":"stats"}─────────────────────────────▶ supervisor
///          ◀─{"stats":{...}}───────────────────────────────────
///
/// Lines of JSON and not frames, because the tool that asks for a restart is of the next version. Whoever asks may go
/// before the answer: what was begun goes on.
final class ControlSocket {
    struct Question: Codable, Equatable, Sendable {
        enum Command: String, Codable, Sendable {
            case restart, reload, stats
            case trustClock = "trust-clock"
        }

        var command: Command
        /// Of a restart: whom to replace.
        var roles: [String]?
    }

    struct Answer: Codable, Equatable, Sendable {
        var progress: String?
        var done: String?
        var failed: String?
        var stats: ProcessStats?
    }

    /// One who asked, and hears what comes of it.
    final class Asker {
        fileprivate let connection: Connection
        fileprivate var lines = LineReader()
        fileprivate var hasAsked = false

        fileprivate init(_ connection: Connection) { self.connection = connection }

        func tell(progress: String) { self.say(Answer(progress: progress)) }

        func end(done: String) {
            self.say(Answer(done: done))
            self.connection.closeAfterFlush()
        }

        func end(stats: ProcessStats) {
            self.say(Answer(stats: stats))
            self.connection.closeAfterFlush()
        }

        func end(failed: String) {
            self.say(Answer(failed: failed))
            self.connection.closeAfterFlush()
        }

        private func say(_ answer: Answer) { self.connection.append(ControlSocket.line(answer)) }
    }

    /// Answers may name every mistake of the settings.
    static let answerBytesMax = 1 << 20

    private var listener: UnixListener?
    private var askers: [ObjectIdentifier: Asker] = [:]
    private let onQuestion: (Question, Asker) -> Void

    /// Only this user may open the socket. `onQuestion` sees to it that the asker hears an end.
    init(
        on loop: EventLoop,
        path: String,
        onQuestion: @escaping (Question, Asker) -> Void
    ) throws(UVError) {
        self.onQuestion = onQuestion
        self.listener = try UnixListener(on: loop, path: path) { [unowned self] in self.accept($0) }
    }

    func close() {
        self.listener?.close()
        for asker in self.askers.values { asker.connection.closeAfterFlush() }
        self.askers = [:]
    }

    private func accept(_ connection: Connection) {
        let asker = Asker(connection)
        let key = ObjectIdentifier(asker)
        self.askers[key] = asker
        connection.onRead = { [unowned self, unowned asker] in
            asker.lines.take($0) { self.take($0, from: asker) }
        }
        connection.onEnd = { [unowned connection] _ in connection.closeAfterFlush() }
        connection.onClose = { [weak self] in self?.askers[key] = nil }
        connection.startReading()
    }

    private func take(_ line: String, from asker: Asker) {
        guard !asker.hasAsked else { return }
        asker.hasAsked = true
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(line.utf8)) else {
            return asker.end(
                failed: "the supervisor does not know this question; it may be of an older version: \(line.prefix(200))"
            )
        }
        self.onQuestion(question, asker)
    }

    static func line(_ content: some Encodable) -> String {
        do { return String(decoding: try JSONEncoder().encode(content), as: UTF8.self) + "\n" } catch {
            preconditionFailure("a line of the control socket is no JSON: \(error)")
        }
    }
}
