import Booking
public import Configuration
import Wire

/// `usher operator-tokens`: what people are shown of the operators' tokens. A token's text is shown once, when made.
public enum OperatorTokensCommand {
    public static func list(_ configuration: ServerConfiguration) throws(StartError) -> String {
        let tokens = try configuration.operatorTokenFile.load()
        guard !tokens.isEmpty else {
            return "there are no operators' tokens: the operator's port is open to this machine only"
        }
        return tokens.entries.map {
            "\($0.role.rawValue.padded(to: 8))  \($0.name)  added \(configuration.zone.time(at: $0.addedAt.seconds)) "
                + "(\(configuration.zone.name))"
        }.joined(separator: "\n")
    }

    /// The token alone is on the first line, for scripts.
    public static func add(
        _ name: String,
        mayOperate: Bool,
        _ configuration: ServerConfiguration
    ) throws(StartError) -> String {
        // Tokens are often made before the first start.
        try configuration.stateDirectory.prepare()
        let token = try configuration.operatorTokenFile.add(name, mayOperate ? .operate : .view, at: .now)
        return """
            \(token)
            It is not shown again: only its hash is kept. Gateways accept it within a second.
            Try it: curl -H 'Authorization: Bearer TOKEN' http://HOST:PORT/stats
            """
    }

    /// Removes a token whose output failed: valid, but known to nobody or only to a reader of half the output. Returns
    /// the result as a sentence.
    public static func revoke(_ name: String, _ configuration: ServerConfiguration) -> String {
        do throws(StartError) {
            try configuration.operatorTokenFile.remove(name)
            return "the token could not be shown, and was removed"
        } catch {
            return "the token could not be shown, and is valid: \(error.problem); remove it with "
                + "usher operator-tokens remove \(name)"
        }
    }

    public static func remove(_ name: String, _ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.operatorTokenFile.remove(name)
        return "removed \(name): refused within a second"
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
