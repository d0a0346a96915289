public import Configuration
import FoundationEssentials
import Links
import Reactor

/// `usher cluster restart`, `reload` and `trust-clock`: sends the request to a running supervisor and waits for the
/// result.
public enum ControlCommand {
    /// Replaces processes one after the other while they serve. `roles` are of `gateway` and `shard`. `show` is called
    /// with a line for each step. Throws why it ended early.
    public static func restart(
        _ state: StateDirectory,
        roles: [String],
        show: @escaping (String) -> Void
    ) throws(StartError) {
        try self.ask(ControlSocket.Question(command: .restart, roles: roles), state, show)
    }

    /// Reloads the settings.
    public static func reload(_ state: StateDirectory, show: @escaping (String) -> Void) throws(StartError) {
        try self.ask(ControlSocket.Question(command: .reload), state, show)
    }

    /// Makes time follow the wall clock again after an absurd jump that was right.
    public static func trustClock(_ state: StateDirectory, show: @escaping (String) -> Void) throws(StartError) {
        try self.ask(ControlSocket.Question(command: .trustClock), state, show)
    }

    private static func ask(
        _ question: ControlSocket.Question,
        _ state: StateDirectory,
        _ show: @escaping (String) -> Void
    ) throws(StartError) {
        _ = try ClusterFile.read(state)
        let loop: EventLoop
        let connection: Connection
        do throws(UVError) {
            loop = try EventLoop()
            connection = try Connection(on: loop, toPath: state.controlSocket)
        } catch {
            throw StartError("the supervisor can't be reached: \(error)", remedy: "check the folder of cluster.state")
        }
        var lines = LineReader(bytesMax: ControlSocket.answerBytesMax)
        var outcome: StartError? = StartError(
            "the supervisor ended before it was done",
            remedy: "see its log; processes already replaced are not rolled back"
        )
        connection.onRead = { bytes in
            lines.append(bytes) { line in
                guard let answer = try? JSONDecoder().decode(ControlSocket.Answer.self, from: Data(line.utf8)) else {
                    return show(line)
                }
                if let progress = answer.progress { show(progress) }
                if let done = answer.done {
                    show(done)
                    outcome = nil
                }
                if let failed = answer.failed {
                    outcome = StartError(failed, remedy: "see the supervisor's log")
                }
            }
        }
        connection.onEnd = { [unowned connection] reason in
            if case .failed(let error) = reason {
                outcome = StartError("the supervisor does not answer: \(error)", remedy: "is it an older version?")
            }
            connection.close()
        }
        connection.append(ControlSocket.line(question))
        connection.startReading()
        loop.run()
        loop.close()
        if let outcome { throw outcome }
    }
}
