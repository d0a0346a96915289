public import Configuration
import FoundationEssentials
import Glibc
import Reactor
import StandardStreams
public import Statistics

/// `usher stats` and `usher top`.
public enum StatsCommand {
    /// The statistics of the cluster in a state folder, as a table or as JSON. Refused when no cluster is up in it.
    public static func text(_ state: StateDirectory, json: Bool) throws(StartError) -> String {
        let stats = try Self.stats(state)
        return json ? Self.json(stats) : StatsTable.text(stats)
    }

    /// The statistics of the cluster in a state folder. Refused when no cluster is up in it.
    public static func stats(_ state: StateDirectory) throws(StartError) -> ClusterStats {
        let cluster = try ClusterFile.read(state)
        let loop = try Self.makeLoop()
        var stats = ClusterStats()
        _ = StatsCollector(on: loop, state, shards: cluster.shards.count, gateways: cluster.gateways.count) {
            stats = $0
        }
        loop.run()
        loop.close()
        return stats
    }

    /// Draws the table once a second until SIGINT or SIGTERM, on the terminal's alternate screen, which leaves the
    /// first unchanged. Like every command, ends when its output can't be written.
    public static func top(_ state: StateDirectory) throws(StartError) {
        let cluster = try ClusterFile.read(state)
        let loop = try Self.makeLoop()
        let timer = LoopTimer(on: loop)
        var watchers: [SignalWatcher] = []
        for signal in [SIGINT, SIGTERM] {
            do throws(UVError) {
                watchers.append(try SignalWatcher(on: loop, signal) { loop.stop() })
            } catch { throw StartError("cannot watch signals: \(error)", remedy: "try again") }
        }
        CommandOutput.text("\u{1B}[?1049h\u{1B}[?25l")  // alternate screen, no cursor
        var isBusy = false
        timer.start(afterMilliseconds: 0, everyMilliseconds: 1_000) {
            guard !isBusy else { return }
            isBusy = true
            _ = StatsCollector(on: loop, state, shards: cluster.shards.count, gateways: cluster.gateways.count) {
                stats in
                isBusy = false
                CommandOutput.text("\u{1B}[H\u{1B}[2J\(StatsTable.text(stats))\n\nCtrl-C ends\n")
            }
        }
        loop.run()
        CommandOutput.text("\u{1B}[?25h\u{1B}[?1049l")
        timer.close()
        for watcher in watchers { watcher.close() }
        loop.run()  // a request under way ends by its answer or its timer
        loop.close()
    }

    private static func json(_ stats: ClusterStats) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do { return String(decoding: try encoder.encode(stats), as: UTF8.self) } catch {
            preconditionFailure("statistics are no JSON: \(error)")
        }
    }

    private static func makeLoop() throws(StartError) -> EventLoop {
        do { return try EventLoop() } catch {
            throw StartError("cannot make an event loop: \(error)", remedy: "raise the limit of open files (ulimit -n)")
        }
    }
}
