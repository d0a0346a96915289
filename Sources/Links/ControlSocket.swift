import FoundationEssentials
import Logging
public import Reactor
public import Statistics

/// The supervisor's Unix socket, where its user requests things that take a while: one request a connection.
///
///     tool ──{"command":"restart","roles":["gateway","shard"]}──▶ supervisor
///          ◀─{"progress":"..."}───────────────────────────────── any number
///          ◀─{"done":"..."} or {"failed":"..."}───────────────── the last line
///          ──{"command":"stats"}─────────────────────────────▶ supervisor
///          ◀─{"stats":{...}}───────────────────────────────────
///
/// Lines of JSON and not frames, because the tool that requests a restart is of the next version. If the tool leaves
/// before the answer, the work goes on.
public final class ControlSocket {
    /// The line that a tool sends.
    public struct Question: Codable, Equatable, Sendable {
        /// What is asked for.
        public enum Command: String, Codable, Sendable {
            case restart, reload, stats
            case trustClock = "trust-clock"
        }

        /// What to do.
        public var command: Command
        /// Of a restart: the roles to replace.
        public var roles: [String]?

        /// `roles` are of `gateway` and `shard`.
        public init(command: Command, roles: [String]? = nil) {
            self.command = command
            self.roles = roles
        }
    }

    /// A line that a tool hears; one of its members is there.
    public struct Answer: Codable, Equatable, Sendable {
        /// A step that was done; more lines follow.
        public var progress: String?
        /// The last line: all went well.
        public var done: String?
        /// The last line: why it ended early.
        public var failed: String?
        /// The last line: the supervisor's own statistics.
        public var stats: ProcessStats?
    }

    /// The sender of a request, who hears its progress and result.
    public final class Asker {
        fileprivate let connection: Connection
        fileprivate var lines = LineReader()
        fileprivate var hasAsked = false

        fileprivate init(_ connection: Connection) { self.connection = connection }

        /// A line about a step that was done.
        public func tell(progress: String) { self.say(Answer(progress: progress)) }

        /// The last line, of success.
        public func end(done: String) {
            self.say(Answer(done: done))
            self.connection.closeAfterFlush()
        }

        /// The last line, of statistics.
        public func end(stats: ProcessStats) {
            self.say(Answer(stats: stats))
            self.connection.closeAfterFlush()
        }

        /// The last line, of failure.
        public func end(failed: String) {
            self.say(Answer(failed: failed))
            self.connection.closeAfterFlush()
        }

        private func say(_ answer: Answer) { self.connection.append(ControlSocket.line(answer)) }
    }

    /// Answers may list every mistake of the settings.
    public static let answerBytesMax = 1 << 20

    private var listener: UnixListener?
    private var askers: [ObjectIdentifier: Asker] = [:]
    private let onQuestion: (Question, Asker) -> Void

    /// Only this user may open the socket. `onQuestion` must give the asker a last line.
    public init(
        on loop: EventLoop,
        path: String,
        onQuestion: @escaping (Question, Asker) -> Void
    ) throws(UVError) {
        self.onQuestion = onQuestion
        self.listener = try UnixListener(on: loop, path: path) { [unowned self] in self.accept($0) }
    }

    /// Closes the socket, and its connections once they are written out.
    public func close() {
        self.listener?.close()
        for asker in self.askers.values { asker.connection.closeAfterFlush() }
        self.askers = [:]
    }

    private func accept(_ connection: Connection) {
        let asker = Asker(connection)
        let key = ObjectIdentifier(asker)
        self.askers[key] = asker
        connection.onRead = { [unowned self, unowned asker] in
            asker.lines.append($0) { self.receive($0, from: asker) }
        }
        connection.onEnd = { [unowned connection] _ in connection.closeAfterFlush() }
        connection.onClose = { [weak self] in self?.askers[key] = nil }
        connection.startReading()
    }

    private func receive(_ line: String, from asker: Asker) {
        guard !asker.hasAsked else { return }
        asker.hasAsked = true
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(line.utf8)) else {
            return asker.end(
                failed: "the supervisor does not know this request; it may be an older version: \(line.prefix(200))"
            )
        }
        self.onQuestion(question, asker)
    }

    /// A question or an answer as a line of JSON, with its end.
    public static func line(_ content: some Encodable) -> String {
        do { return String(decoding: try JSONEncoder().encode(content), as: UTF8.self) + "\n" } catch {
            preconditionFailure("a line of the control socket is no JSON: \(error)")
        }
    }
}
