public import Configuration
import FoundationEssentials
import Glibc
import Links
public import Reactor
public import Statistics
import Wire

/// Collects the statistics of every process of a cluster on this machine, over their Unix sockets, all at once; the
/// supervisor's too, where there is one.
///
/// **Happy path.** Each connection says hello as a tool, sends one request, receives the hello and the answer, and is
/// closed; with the last one `onDone` is called. **A process that can't be reached, refuses, or is slower than
/// `timeout`** is named in `ClusterStats.missing`; the others are still shown.
public final class StatsCollector {
    /// Milliseconds. A process whose loop does not turn for this long is in trouble, which the statistics should show.
    public static let timeout: UInt64 = 2_000

    fileprivate struct Source {
        let name: String
        let path: String
        let index: Int
        let isShard: Bool
    }

    private let loop: EventLoop
    private let timer: LoopTimer
    private var stats = ClusterStats()
    private var open: [Int: Exchange] = [:]
    private var supervisor: Connection?
    private var names: [String]
    /// Root may collect from any user's cluster: its processes run as the folder's owner.
    private let owner: UInt32
    private var onDone: ((ClusterStats) -> Void)?

    /// Starts at once. `onDone` is called once, from the loop.
    public init(
        on loop: EventLoop,
        _ state: StateDirectory,
        shards: Int,
        gateways: Int,
        onDone: @escaping (ClusterStats) -> Void
    ) {
        var sources = (0..<shards).map {
            Source(name: "shard \($0)", path: state.shardSocket($0), index: $0, isShard: true)
        }
        sources += (0..<gateways).map {
            Source(name: "gateway \($0)", path: state.gatewaySocket($0), index: $0, isShard: false)
        }
        self.loop = loop
        self.timer = LoopTimer(on: loop)
        self.names = sources.map(\.name)
        self.owner = state.owner ?? geteuid()
        self.onDone = onDone
        // The timer keeps this object until it is done.
        self.timer.start(afterMilliseconds: Self.timeout) { self.giveUp() }
        for (number, source) in sources.enumerated() { self.ask(number, source) }
        self.askSupervisor(state)
        self.finishIfDone()
    }

    private func ask(_ number: Int, _ source: Source) {
        do throws(UVError) {
            let exchange = try Exchange(on: self.loop, source, trusting: self.owner) { [unowned self] answer in
                self.receive(number, source, answer)
            }
            self.open[number] = exchange
        } catch {
            self.stats.missing.append("\(source.name): \(error)")
        }
    }

    /// A supervisor that is missing, or too old to know this request, is no trouble: its children do the serving.
    private func askSupervisor(_ state: StateDirectory) {
        guard let connection = try? Connection(on: self.loop, toPath: state.controlSocket) else { return }
        self.supervisor = connection
        var lines = LineReader(bytesMax: ControlSocket.answerBytesMax)
        connection.onRead = { [unowned self] bytes in
            lines.append(bytes) { line in
                let answer = try? JSONDecoder().decode(ControlSocket.Answer.self, from: Data(line.utf8))
                self.stats.supervisor = answer?.stats
            }
        }
        connection.onEnd = { [unowned self, unowned connection] _ in
            connection.close()
            self.supervisor = nil
            self.finishIfDone()
        }
        connection.append(ControlSocket.line(ControlSocket.Question(command: .stats)))
        connection.startReading()
    }

    private func receive(_ number: Int, _ source: Source, _ answer: Result<String, WireError>) {
        guard let exchange = self.open.removeValue(forKey: number) else { return }
        exchange.close()
        do {
            let json = Data(try answer.get().utf8)
            if source.isShard {
                self.stats.shards.append(try JSONDecoder().decode(ShardStats.self, from: json))
            } else {
                self.stats.gateways.append(try JSONDecoder().decode(GatewayStats.self, from: json))
            }
        } catch {
            self.stats.missing.append("\(source.name): \(error)")
        }
        self.finishIfDone()
    }

    private func giveUp() {
        for (number, exchange) in self.open.sorted(by: { $0.key < $1.key }) {
            exchange.close()
            self.stats.missing.append("\(self.names[number]): no answer within \(Self.timeout / 1_000) s")
        }
        self.open = [:]
        if let supervisor = self.supervisor.take() {
            supervisor.close()
            self.stats.missing.append("supervisor: no answer within \(Self.timeout / 1_000) s")
        }
        self.finishIfDone()
    }

    private func finishIfDone() {
        guard self.open.isEmpty, self.supervisor == nil, let onDone = self.onDone.take() else { return }
        self.stats.shards.sort { $0.shard < $1.shard }
        self.stats.gateways.sort { $0.gateway < $1.gateway }
        self.timer.close()
        onDone(self.stats)
    }
}

/// One request to one process.
private final class Exchange {
    private let link: FrameLink
    private var onAnswer: ((Result<String, WireError>) -> Void)?

    init(
        on loop: EventLoop,
        _ source: StatsCollector.Source,
        trusting owner: UInt32,
        onAnswer: @escaping (Result<String, WireError>) -> Void
    ) throws(UVError) {
        let tool = FrameLink.Identity(
            hello: Hello(role: .tool, index: 0, shardCount: 0, slotMapVersion: 0),
            trustedUser: owner
        )
        let connection = try Connection(on: loop, toPath: source.path)
        let expected = FrameLink.Expected(role: source.isShard ? .shard : .gateway, index: source.index)
        self.link = FrameLink(number: 0, connection, as: tool, isDialler: true, expecting: expected)
        self.onAnswer = onAnswer
        self.link.onUp = { [unowned self] in self.link.send(.stats) }
        self.link.onFrame = { [unowned self] frame throws(WireError) in
            guard case .control(.statsAnswer) = frame.category, case .statsAnswer(let json) = try Control(frame: frame)
            else { return }
            self.answer(.success(json))
        }
        self.link.onEnd = { [unowned self] reason in self.answer(.failure(WireError(reason))) }
    }

    func close() {
        self.onAnswer = nil
        self.link.close("the question is answered")
    }

    private func answer(_ result: Result<String, WireError>) { self.onAnswer.take()?(result) }
}
