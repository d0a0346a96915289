import FoundationEssentials
public import Logging
import StandardStreams
import Synchronization

/// Log lines on standard error: a fixed message, and its values as `key=value`.
///
///     2026-11-24T07:18:29.031Z warning supervisor: process died  member="shard 3" deaths=1 restarts_in_ms=0
///     {"time":"2026-11-24T07:18:29.031Z","level":"warning","label":"supervisor","message":"process died","member":...}
///
/// swift-log's own handler has no JSON. Lines go to `StandardError`, where servers never wait for their readers; those
/// of a supervisor's children go through the supervisor (`ChildLog`), so lines of several processes do not mix.
public struct Logs: LogHandler {
    public enum Format: String, Sendable { case text, json }

    /// The level of all loggers of this process, from `log.level`; may change at run time.
    private static let sharedLevel = Atomic<Int>(Self.order(.info))
    private static let levels = Array(Logger.Level.allCases)

    /// Nil for the shared one.
    private var ownLevel: Logger.Level?
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format

    /// A `level` of nil is the process's.
    public init(label: String, level: Logger.Level?, format: Format) {
        self.label = label
        self.ownLevel = level
        self.format = format
    }

    /// A logger as `log.*` configures it. The label names the process: `supervisor`, `shard 3`.
    public static func logger(_ label: String, _ log: ServerConfiguration.Log) -> Logger {
        self.use(log)
        let format = Format(rawValue: log.format) ?? .text
        StandardError.use { count in
            Logs(label: label, level: nil, format: format).line(
                time: Date().formatted(Self.timeStyle),
                level: .warning,
                message: "log lines dropped, their reader is slow",
                ["count": "\(count)"]
            )
        }
        return Logger(label: label) { _ in Logs(label: label, level: nil, format: format) }
    }

    /// Sets the level of all loggers of this process.
    public static func use(_ log: ServerConfiguration.Log) {
        Self.sharedLevel.store(Self.order(Logger.Level(rawValue: log.level) ?? .info), ordering: .relaxed)
    }

    public var logLevel: Logger.Level {
        get { self.ownLevel ?? Self.levels[Self.sharedLevel.load(ordering: .relaxed)] }
        set { self.ownLevel = newValue }
    }

    private static func order(_ level: Logger.Level) -> Int { Self.levels.firstIndex(of: level)! }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var values = self.metadata
        for (key, value) in event.metadata ?? [:] { values[key] = value }
        let time = Date().formatted(Self.timeStyle)
        let line = self.line(time: time, level: event.level, message: "\(event.message)", values)
        StandardError.write(line)
    }

    /// From now on this process never waits to write a log line: lines are dropped and counted while the reader is
    /// slow. The first call of every server.
    public static func begin() throws(StartError) {
        guard !StandardError.beginLog() else { return }
        throw StartError("the system refuses the thread that the log needs", remedy: ThreadBudget.remedy)
    }

    func line(time: String, level: Logger.Level, message: String, _ values: Logger.Metadata) -> String {
        let sorted = values.sorted { $0.key < $1.key }
        switch self.format {
        case .text:
            let pairs = sorted.map { " \($0.key)=\(Self.textValue("\($0.value)"))" }.joined()
            return "\(time) \(level) \(self.label): \(message)\(pairs.isEmpty ? "" : " ")\(pairs)\n"
        case .json:
            let fixed = [("time", time), ("level", "\(level)"), ("label", self.label), ("message", message)]
            let members = (fixed + sorted.map { ($0.key, "\($0.value)") }).map {
                "\(Self.quoted($0)):\(Self.quoted($1))"
            }
            return "{\(members.joined(separator: ","))}\n"
        }
    }

    private static let timeStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Without quotes when that is unambiguous.
    private static func textValue(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
        return isPlain && !value.isEmpty ? value : Self.quoted(value)
    }

    /// A JSON string (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
