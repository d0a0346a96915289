public import Booking
import Glibc
public import Wire

/// The keys that sign tokens: one file of the state folder, mode 0600, read by every gateway. Refused when others may
/// read or write it, or when its owner is neither this user nor root.
///
/// Keys change without changing anybody's token: a new key signs places given from a moment on, far enough ahead that
/// every gateway has read the file by then, and older tokens keep the key of their own time. A key may be removed once
/// every token that it signed has expired, or at once when it has leaked.
extension StateDirectory {
    /// The time until a new key signs. Gateways check the file every second.
    public static let keyLeadTime = Nanoseconds.seconds(10)

    /// The ring; created with one key if there is none. Safe for concurrent processes: the file appears whole or not at
    /// all, and the second process reads the first one's.
    public func loadOrCreateKeys(at now: Timestamp) throws(StartError) -> TokenRing {
        do {
            if access(self.keyFile, F_OK) != 0 { try self.createKeys(at: now) }
        } catch {
            throw StartError(
                "the keys of tokens cannot be made: \(error)",
                remedy: "make room in the state folder, or choose another with --state"
            )
        }
        return try self.loadKeys()
    }

    public func loadKeys() throws(StartError) -> TokenRing {
        guard access(self.keyFile, F_OK) == 0 else {
            throw StartError(
                "there are no keys in \(self.path)",
                remedy: "start a cluster there, or name another state folder with --state"
            )
        }
        do {
            let bytes = try TextFile.read(self.keyFile, trust: .tokenKeys)
            return try TokenRing(text: String(decoding: bytes, as: UTF8.self))
        } catch {
            if let mistrust = (error as? FileError)?.mistrust { throw mistrust }
            throw StartError(
                (error as? WireError).map { "\(self.keyFile): \($0)" } ?? "\(error)",
                remedy:
                    "put the file back from a copy, or, after a change by hand, remove its line '# check'; without the file "
                    + "the next start makes a new key, and all earlier tokens are invalid"
            )
        }
    }

    /// Adds a key that signs from `now` plus `keyLeadTime`.
    public func addKey(at now: Timestamp) throws(StartError) -> TokenKey {
        try FolderLock.alone(with: self.keyFile) { () throws(StartError) in try self.addKeyAlone(at: now) }
    }

    private func addKeyAlone(at now: Timestamp) throws(StartError) -> TokenKey {
        let ring = try self.loadKeys()
        guard let id = (1...UInt8.max).first(where: { id in !ring.keys.contains { $0.id == id } }) else {
            throw StartError(
                "there are \(ring.keys.count) keys already",
                remedy: "remove old ones: usher keys remove ID"
            )
        }
        do {
            let key = try Self.newKey(id, activeFrom: now + Self.keyLeadTime)
            try self.write(try TokenRing(ring.keys + [key]))
            return key
        } catch {
            throw StartError("the new key was not added: \(error)", remedy: "try again in a second")
        }
    }

    /// Removes a key: tokens that it signed are invalid from now on.
    public func removeKey(_ id: UInt8) throws(StartError) {
        try FolderLock.alone(with: self.keyFile) { () throws(StartError) in try self.removeKeyAlone(id) }
    }

    private func removeKeyAlone(_ id: UInt8) throws(StartError) {
        let ring = try self.loadKeys()
        let rest = ring.keys.filter { $0.id != id }
        guard rest.count < ring.keys.count else {
            throw StartError("there is no key \(id)", remedy: "usher keys list shows all keys")
        }
        guard !rest.isEmpty else {
            throw StartError("key \(id) is the only one", remedy: "add another first: usher keys add")
        }
        do { try self.write(try TokenRing(rest)) } catch {
            throw StartError("key \(id) was not removed: \(error)", remedy: "make \(self.path) writable for this user")
        }
    }

    private func write(_ ring: TokenRing) throws(FileError) {
        try TextFile.write(Array(ring.text.utf8), to: self.keyFile)
    }

    private func createKeys(at now: Timestamp) throws {
        let draft = "\(self.keyFile).\(getpid())"
        try TextFile.write(Array(TokenRing([try Self.newKey(1, activeFrom: now)]).text.utf8), to: draft)
        defer { unlink(draft) }
        guard link(draft, self.keyFile) == 0 || errno == EEXIST else {
            throw FileError(path: self.keyFile, reason: "cannot be created: \(String(cString: strerror(errno)))")
        }
    }

    private static func newKey(_ id: UInt8, activeFrom: Timestamp) throws(WireError) -> TokenKey {
        var random = SystemRandomNumberGenerator()
        let secret = (0..<TokenKey.secretBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        return try TokenKey(id: id, secret: secret, activeFrom: activeFrom)
    }
}
