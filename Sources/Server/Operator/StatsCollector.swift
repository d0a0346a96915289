import FoundationEssentials
public import Reactor
import Wire

/// Asks every process of a cluster on this machine for its statistics, over their Unix sockets, all at once.
///
/// **Happy path.** Each connection says hello as a tool, asks once, hears the hello and the answer, and is closed; with
/// the last one `onDone` is called. **A process that can't be reached, refuses, or is slower than `timeout`** is named
/// in `ClusterStats.missing`, and the others are shown all the same.
public final class StatsCollector {
    /// Milliseconds. A process that does not turn its loop for so long is in trouble, and that is what to show.
    public static let timeout: UInt64 = 2_000

    private struct Source {
        let name: String
        let path: String
        let index: Int
        let isShard: Bool
    }

    private let loop: EventLoop
    private let timer: LoopTimer
    private var stats = ClusterStats()
    private var open: [Int: Exchange] = [:]
    private var names: [String]
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
        self.onDone = onDone
        // The timer keeps this object until it is done.
        self.timer.start(afterMilliseconds: Self.timeout) { self.giveUp() }
        for (number, source) in sources.enumerated() { self.ask(number, source) }
        self.finishIfDone()
    }

    private func ask(_ number: Int, _ source: Source) {
        do throws(UVError) {
            let exchange = try Exchange(on: self.loop, path: source.path) { [unowned self] answer in
                self.take(number, source, answer)
            }
            self.open[number] = exchange
        } catch {
            self.stats.missing.append("\(source.name): \(error)")
        }
    }

    private func take(_ number: Int, _ source: Source, _ answer: Result<String, WireError>) {
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
        self.finishIfDone()
    }

    private func finishIfDone() {
        guard self.open.isEmpty, let onDone = self.onDone.take() else { return }
        self.stats.shards.sort { $0.shard < $1.shard }
        self.stats.gateways.sort { $0.gateway < $1.gateway }
        self.timer.close()
        onDone(self.stats)
    }
}

/// One question to one process.
private final class Exchange {
    private let connection: Connection
    private var decoder = FrameDecoder()
    private var onAnswer: ((Result<String, WireError>) -> Void)?

    init(on loop: EventLoop, path: String, onAnswer: @escaping (Result<String, WireError>) -> Void) throws(UVError) {
        self.connection = try Connection(on: loop, toPath: path)
        self.onAnswer = onAnswer
        self.connection.onRead = { [unowned self] bytes in self.read(bytes) }
        self.connection.onEnd = { [unowned self] reason in
            switch reason {
            case .endOfStream: self.answer(.failure(WireError("it closed the connection without an answer")))
            case .failed(let error): self.answer(.failure(WireError("\(error)")))
            }
        }
        self.connection.startReading()
        var bytes = FrameBytes()
        do throws(WireError) {
            let hello = Hello(role: .tool, index: 0, shardCount: 0, slotMapVersion: 0)
            try Control.hello(hello).encode(into: &bytes, requestID: 0)
            try Control.stats.encode(into: &bytes, requestID: 1)
        } catch {
            preconditionFailure("a hello fits a frame: \(error)")
        }
        bytes.withUnsafeBytes { self.connection.append($0) }
    }

    func close() {
        self.onAnswer = nil
        self.connection.close()
    }

    private func read(_ bytes: UnsafeRawBufferPointer) {
        var result: Result<String, WireError>?
        do throws(WireError) {
            try self.decoder.feed(bytes) { (frame) throws(WireError) in
                guard case .control = frame.sort else { return }
                switch try Control(frame: frame) {
                case .statsAnswer(let json): result = .success(json)
                case .goodbye(let reason): result = .failure(WireError("it refused: \(reason)"))
                case .hello, .otherVersion, .helloAccepted, .ping, .pong, .stats, .unknownKind: break
                }
            }
        } catch {
            result = .failure(error)
        }
        if let result { self.answer(result) }
    }

    private func answer(_ result: Result<String, WireError>) { self.onAnswer.take()?(result) }
}
