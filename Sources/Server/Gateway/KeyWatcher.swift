import Logging
import Reactor
import Wire

/// Looks at the key file every second, and gives a ring that has changed to its gateway. A file that can't be read, or
/// holds no ring, changes nothing and is told about once.
final class KeyWatcher {
    private static let periodMilliseconds: UInt64 = 1_000

    private let directory: StateDirectory
    private let log: Logger
    private let timer: LoopTimer
    private var seen: StateDirectory.KeyFileStamp?

    init(_ directory: StateDirectory, on loop: EventLoop, log: Logger, onChange: @escaping (TokenRing) -> Void) {
        self.directory = directory
        self.log = log
        self.timer = LoopTimer(on: loop)
        self.seen = directory.keyFileStamp()
        let period = Self.periodMilliseconds
        self.timer.start(afterMilliseconds: period, everyMilliseconds: period) { [unowned self] in
            self.look(onChange)
        }
    }

    func close() { self.timer.close() }

    private func look(_ onChange: (TokenRing) -> Void) {
        let stamp = self.directory.keyFileStamp()
        guard stamp != self.seen else { return }
        self.seen = stamp
        do throws(StartError) {
            let ring = try self.directory.loadKeys()
            self.log.info("token keys changed", metadata: ["keys": "\(ring.keys.count)"])
            onChange(ring)
        } catch {
            self.log.error("token keys not read, the old ones go on", metadata: ["reason": "\(error)"])
        }
    }
}
