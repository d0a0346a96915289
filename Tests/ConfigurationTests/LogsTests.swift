import Logging
import Testing

@testable import Configuration

@Suite struct LogsTests {
    private static let values: [String: String] = ["member": "shard 3", "wait_ms": "20", "why": "a \"b\"\n=\u{1}"]

    private static func line(_ format: Logs.Format) -> String {
        let logs = Logs(label: "supervisor", level: .info, format: format)
        return logs.line(
            time: "T",
            level: .warning,
            message: "process died",
            Self.values.mapValues { .string($0) }
        )
    }

    @Test func `a line of text has its values in order, in quotes where they need them`() {
        #expect(
            Self.line(.text)
                == "T warning supervisor: process died  member=\"shard 3\" wait_ms=20 why=\"a \\\"b\\\"\\n=\\u0001\"\n"
        )
    }

    @Test func `a line of JSON has the same`() {
        #expect(
            Self.line(.json)
                == "{\"time\":\"T\",\"level\":\"warning\",\"label\":\"supervisor\",\"message\":\"process died\","
                + "\"member\":\"shard 3\",\"wait_ms\":\"20\",\"why\":\"a \\\"b\\\"\\n=\\u0001\"}\n"
        )
    }
}
