extension ServerConfiguration {
    public struct Log: Equatable, Sendable {
        public var level = "info"
        public var format = "text"
    }

    public struct AccessLog: Equatable, Sendable {
        /// Empty for none: lines about people are kept where somebody wants them, and only there.
        public var file = ""
        public var pollSample = 1
    }
}

extension Settings {
    static let log: [Setting] = [
        text(
            "log.level",
            \.log.level,
            .oneOf(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            .optional,
            live: true,
            "Least severe level that is logged."
        ),
        text(
            "log.format",
            \.log.format,
            .oneOf(["text", "json"]),
            .optional,
            "Format of log lines, which go to standard error."
        ),
    ]

    static let accessLog: [Setting] = [
        text(
            "accessLog.file",
            \.accessLog.file,
            .file,
            .optional,
            "File to which gateways write a line of JSON per answer, reopened after it was renamed; empty disables it."
        ),
        whole(
            "accessLog.pollSample",
            \.accessLog.pollSample,
            1...1_000_000,
            unit: "polls",
            .optional,
            "Log one in N successful polls; all other requests are logged."
        ),
    ]
}
