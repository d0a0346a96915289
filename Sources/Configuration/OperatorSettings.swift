extension ServerConfiguration {
    /// The port for operators: health, statistics.
    public struct Operator: Equatable, Sendable {
        public var host = "127.0.0.1"
        public var port = 8_081
        public var hostNames = ""
    }
}

extension Settings {
    static let operatorPort: [Setting] = [
        text(
            "operator.host",
            \.operator.host,
            .address,
            .optional,
            "Address of the operator's port; one that other machines reach requires an operator's token."
        ),
        whole("operator.port", \.operator.port, 0...65_535, .optional, "Port for operators; 0 takes any free port."),
        text(
            "operator.hostNames",
            \.operator.hostNames,
            .hostNames,
            .optional,
            live: true,
            "Names that `Host` may have at the operator's port, besides addresses and localhost; others are answered 421, "
                + "except by the health checks."
        ),
    ]
}
