import Configuration
import Logging
import Reactor

/// Looks at a file every second, and gives what is in it to its owner when it has changed: keys, tokens. A file that
/// can't be read, is gone, or holds nonsense changes nothing and is told about once.
final class FileWatcher<Content> {
    private let path: String
    /// What the file holds, in words: `token keys`.
    private let name: String
    private let log: Logger
    private let timer: LoopTimer
    private let load: () throws(StartError) -> Content
    private let onChange: (Content) -> Void
    /// Nil while there is none.
    private var seen: FileStatus?

    /// The caller has read the file already, just before.
    init(
        _ path: String,
        of name: String,
        on loop: EventLoop,
        log: Logger,
        load: @escaping () throws(StartError) -> Content,
        onChange: @escaping (Content) -> Void
    ) {
        self.path = path
        self.name = name
        self.log = log
        self.timer = LoopTimer(on: loop)
        self.load = load
        self.onChange = onChange
        self.seen = FileStatus(path)
        let period = FileWatching.periodMilliseconds
        self.timer.start(afterMilliseconds: period, everyMilliseconds: period) { [unowned self] in self.look() }
    }

    func close() { self.timer.close() }

    private func look() {
        let status = FileStatus(self.path)
        guard status != self.seen else { return }
        self.seen = status
        do throws(StartError) {
            guard status != nil else { throw StartError("\(self.path) is gone", remedy: "put it back") }
            let content = try self.load()
            self.log.info("\(self.name) changed")
            self.onChange(content)
        } catch {
            self.log.error("\(self.name) not read, the old ones go on", metadata: ["reason": "\(error)"])
        }
    }
}

enum FileWatching {
    static let periodMilliseconds: UInt64 = 1_000
}
