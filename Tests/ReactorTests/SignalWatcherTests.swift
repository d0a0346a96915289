import Glibc
import Reactor
import Testing

@Suite struct SignalWatcherTests {
    @Test func `every watcher of a signal hears it, and only of that one`() throws {
        try withLoop { loop in
            var heard: [String] = []
            var watchers: [SignalWatcher] = []
            for name in ["a", "b"] {
                watchers.append(
                    try SignalWatcher(on: loop, SIGUSR1) {
                        heard.append(name)
                        if heard.count == 2 { loop.stop() }
                    }
                )
            }
            watchers.append(try SignalWatcher(on: loop, SIGUSR2) { heard.append("other") })
            kill(getpid(), SIGUSR1)
            loop.run()
            #expect(heard.sorted() == ["a", "b"])
            for watcher in watchers { watcher.close() }
        }
    }

    @Test func `a watcher may close itself when it hears`() throws {
        try withLoop { loop in
            var heard = 0
            var watcher: SignalWatcher?
            watcher = try SignalWatcher(on: loop, SIGHUP) {
                heard += 1
                watcher?.close()
            }
            kill(getpid(), SIGHUP)
            loop.run()
            #expect(heard == 1)
        }
    }

    @Test func `what can't be caught is refused`() throws {
        try withLoop { loop in
            #expect(throws: UVError(code: -EINVAL, call: "uv_signal_start 9")) {
                _ = try SignalWatcher(on: loop, SIGKILL) {}
            }
        }
    }
}
