import Glibc
import Reactor

/// Whose a file or folder has to be, and what others may not do with it, before it is believed: who can write keys makes
/// themselves anybody, whoever runs this.
///
/// Asked of what is open (fstat(2)) wherever something is read, so that what was looked at is what is read.
public struct FileTrust: Sendable {
    /// What nobody but its owner may do, as bits of a mode.
    private let denied: UInt32
    /// The rights that it should have, as chmod(1) takes them.
    private let rights: String
    /// What others can do with it else, in words.
    private let danger: String
    /// Whether root's will do for another user.
    private let mayBeRoots: Bool

    /// `token.keys`: who reads it makes tokens.
    static let tokenKeys = FileTrust(
        denied: 0o077,
        rights: "600",
        danger: "and so make tokens for any place in line",
        mayBeRoots: true
    )
    /// `operator.tokens` holds hashes, which are no secret.
    static let operatorTokens = FileTrust(
        denied: 0o022,
        rights: "600",
        danger: "and so make themselves operators",
        mayBeRoots: true
    )
    /// `identity.keyFile` holds public keys, as a rule.
    static let identityKeys = FileTrust(
        denied: 0o022,
        rights: "go-w",
        danger: "and so log in as anybody",
        mayBeRoots: true
    )
    /// `cluster.state`: who writes to a folder replaces what is in it. Root is no exception, as its files would be
    /// another's to replace.
    static let stateFolder = FileTrust(
        denied: 0o022,
        rights: "700",
        danger: "and so replace its keys and journals",
        mayBeRoots: false
    )

    /// What is wrong with `path`, and what to do; nil where it can be trusted.
    func mistake(in path: String, _ status: FileStatus) -> StartError? {
        let user = geteuid()
        guard status.user == user || self.mayBeRoots && status.user == 0 else {
            return StartError(
                "\(path) belongs to user \(status.user), and this is user \(user)",
                remedy: "run as its owner, or chown \(user) \(path) and look at what is in it"
            )
        }
        let open = status.mode & self.denied
        guard open == 0 else {
            return StartError(
                "others may \(open & 0o022 == 0 ? "read" : "write") \(path) (mode \(String(status.mode, radix: 8))), "
                    + self.danger,
                remedy: "chmod \(self.rights) \(path)" + (open & 0o022 == 0 ? "" : ", and look at what is in it")
            )
        }
        return nil
    }
}
