public import Booking
import Glibc
public import Wire

/// The file of the operators' tokens: one cluster's, mode 0600, read by every gateway and reread when it changes.
///
/// A missing file counts as empty. Its content is not secret, but anybody who can write the file could add a token: it
/// is refused when others may write it, or when its owner is neither this user nor root.
public struct OperatorTokenFile: Equatable, Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    public func load() throws(StartError) -> OperatorTokens {
        if access(self.path, F_OK) != 0 && errno == ENOENT { return OperatorTokens() }
        do {
            let bytes = try TextFile.read(self.path, trust: .operatorTokens)
            return try OperatorTokens(text: String(decoding: bytes, as: UTF8.self))
        } catch {
            let file = error as? FileError
            throw file?.mistrust ?? self.error(file?.reason ?? "\(error)")
        }
    }

    private func error(_ reason: String) -> StartError {
        StartError("\(self.path): \(reason)", remedy: "correct it, or remove it and add tokens again")
    }

    /// Adds a token, and returns its text, which can't be shown again.
    public func add(_ name: String, _ role: OperatorTokens.Role, at now: Timestamp) throws(StartError) -> String {
        try FolderLock.alone(with: self.path) { () throws(StartError) in
            let tokens = try self.load()
            do {
                var random = SystemRandomNumberGenerator()
                let (more, token) = try tokens.adding(name, role, at: now, random: &random)
                try self.write(more)
                return token
            } catch {
                let remedy = "usher operator-tokens list shows all tokens"
                throw StartError("no token was added: \(error)", remedy: remedy)
            }
        }
    }

    /// Removes a token: gateways refuse it within a second.
    public func remove(_ name: String) throws(StartError) {
        try FolderLock.alone(with: self.path) { () throws(StartError) in
            guard let rest = try self.load().removing(name) else {
                let remedy = "usher operator-tokens list shows all tokens"
                throw StartError("there is no token \(name)", remedy: remedy)
            }
            do { try self.write(rest) } catch {
                throw StartError(
                    "the token was not removed: \(error)",
                    remedy: "make room, or correct the file's rights"
                )
            }
        }
    }

    private func write(_ tokens: OperatorTokens) throws(FileError) {
        try TextFile.write(Array(tokens.text.utf8), to: self.path)
    }
}

extension ServerConfiguration {
    public var operatorTokenFile: OperatorTokenFile { OperatorTokenFile(path: self.stateDirectory.operatorTokenFile) }

    /// The operators' tokens, for a start. Refuses a port that other machines can reach while there is none: anybody
    /// could read it.
    public func operatorTokens() throws(StartError) -> OperatorTokens {
        let tokens = try self.operatorTokenFile.load()
        guard tokens.isEmpty, !self.operatorPortIsLocal else { return tokens }
        throw StartError(
            "operator.host is \(self.operator.host), which other machines can reach, but there is no operator's token",
            remedy:
                "add one: usher operator-tokens add NAME view --state \(self.cluster.state), or set operator.host to "
                + "127.0.0.1"
        )
    }
}
