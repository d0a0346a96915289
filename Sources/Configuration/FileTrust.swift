import Glibc
import Reactor

/// The owner and rights that a file or folder needs before it is trusted: anybody who can write keys can pose as any
/// user, whatever user runs this.
///
/// Checked on the open descriptor (fstat(2)) at each read, so that the file checked is the file read.
public struct FileTrust: Sendable {
    /// The rights that only the owner may have, as bits of a mode.
    private let denied: UInt32
    /// The rights that it should have, as chmod(1) takes them.
    private let rights: String
    /// What others could do otherwise, in words.
    private let danger: String
    /// Whether root may own it when another user runs this.
    private let mayBeRoots: Bool

    /// `token.keys`: its readers can make tokens.
    static let tokenKeys = FileTrust(
        denied: 0o077,
        rights: "600",
        danger: "and so make tokens for any place in line",
        mayBeRoots: true
    )
    /// `operator.tokens` holds hashes, which are not secret.
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
    /// `cluster.state`: anybody who can write to a folder can replace its content. Root's process too needs its own
    /// folder, since another owner could replace the files.
    static let stateFolder = FileTrust(
        denied: 0o022,
        rights: "700",
        danger: "and so replace its keys and journals",
        mayBeRoots: false
    )

    /// What is wrong with `path`, with the remedy; nil where it can be trusted.
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
