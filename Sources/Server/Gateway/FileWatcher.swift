import Glibc
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
    private var seen: Stamp?

    /// Changes with the file.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let seconds: Int64
        let nanoseconds: Int64
    }

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
        self.seen = self.stamp()
        let period = FileWatching.periodMilliseconds
        self.timer.start(afterMilliseconds: period, everyMilliseconds: period) { [unowned self] in self.look() }
    }

    func close() { self.timer.close() }

    private func look() {
        let stamp = self.stamp()
        guard stamp != self.seen else { return }
        self.seen = stamp
        do throws(StartError) {
            guard stamp != nil else { throw StartError("\(self.path) is gone", remedy: "put it back") }
            let content = try self.load()
            self.log.info("\(self.name) changed")
            self.onChange(content)
        } catch {
            self.log.error("\(self.name) not read, the old ones go on", metadata: ["reason": "\(error)"])
        }
    }

    /// Nil while there is no file.
    private func stamp() -> Stamp? {
        var status = stat()
        guard stat(self.path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec)
        )
    }
}

enum FileWatching {
    static let periodMilliseconds: UInt64 = 1_000
}
