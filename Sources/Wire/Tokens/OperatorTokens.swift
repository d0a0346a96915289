public import Booking
import Cryptography

/// Access to the operator's port: bearer tokens, each with a name and a role, stored as hashes only.
///
/// A token is 256 random bits, so one SHA-256 is the right hash: slow hashes protect guessable secrets, and 2^256 can't
/// be guessed. A slow one would only let strangers burn our CPU with made-up tokens.
public struct OperatorTokens: Equatable, Sendable {
    /// What a token permits.
    public enum Role: String, CaseIterable, Sendable {
        /// View: statistics.
        case view
        /// View, and change the running cluster.
        case operate

        public func includes(_ other: Role) -> Bool { self == .operate || other == .view }
    }

    public struct Entry: Equatable, Sendable {
        public let name: String
        public let role: Role
        /// A whole second.
        public let addedAt: Timestamp
        /// SHA-256 of the token's text.
        fileprivate let digest: [UInt8]
    }

    /// The prefix of every token, by which people and secret scanners recognise one.
    public static let prefix = "usher-operator-"
    public static let nameBytesMax = 64
    private static let secretBytes = 32

    /// In the order of addition.
    public let entries: [Entry]

    public init() { self.entries = [] }

    fileprivate init(_ entries: [Entry]) { self.entries = entries }

    public var isEmpty: Bool { self.entries.isEmpty }

    /// A copy with a new token, whose text is stored nowhere. Refuses a name that is taken, or is not 1 to 64 of `A-Z
    /// a-z 0-9 . _ -`.
    public func adding(
        _ name: String,
        _ role: Role,
        at now: Timestamp,
        random: inout some RandomNumberGenerator
    ) throws(WireError) -> (tokens: OperatorTokens, token: String) {
        try self.checkNew(name)
        let secret = (0..<Self.secretBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        let count = Base64.url.textCount(ofBytes: secret.count)
        let text = String(unsafeUninitializedCapacity: count) { characters in
            let room = UnsafeMutableRawBufferPointer(characters)
            secret.withUnsafeBytes {
                Base64.url.encode($0, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            }
            return count
        }
        let token = Self.prefix + text
        let digest = Array(SHA256.hash(Array(token.utf8)))
        let entry = Entry(name: name, role: role, addedAt: Timestamp(seconds: now.seconds), digest: digest)
        return (OperatorTokens(self.entries + [entry]), token)
    }

    /// Nil for an unknown name.
    public func removing(_ name: String) -> OperatorTokens? {
        let rest = self.entries.filter { $0.name != name }
        return rest.count < self.entries.count ? OperatorTokens(rest) : nil
    }

    /// The role of a token; nil for an unknown one. Every hash is compared, each in constant time, so that the time of
    /// an answer reveals nothing about them.
    public func role(of token: ByteView) -> Role? {
        SHA256.hash(token.bytes).withUnsafeBytes { digest in
            var found: Role?
            for entry in self.entries {
                var difference: UInt8 = 0
                for offset in 0..<SHA256.byteCount { difference |= digest[offset] ^ entry.digest[offset] }
                if difference == 0 { found = entry.role }
            }
            return found
        }
    }

    private func checkNew(_ name: String) throws(WireError) {
        let isName = (1...Self.nameBytesMax).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isNameByte)
        guard isName else {
            throw WireError(
                "'\(name)' is not a name: use 1 to \(Self.nameBytesMax) letters, digits, '.', '_' or '-'"
            )
        }
        guard !self.entries.contains(where: { $0.name == name }) else {
            throw WireError("there is a token \(name) already")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// The tokens as text, for a file: one a line, `#` starts a comment.
///
///     # name  role (view or operate)  added at (seconds since 1970)  SHA-256 of the token, in hex
///     grafana view 1767193200 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
extension OperatorTokens {
    /// Throws with the number of the first bad line.
    public init(text: String) throws(WireError) {
        var tokens = OperatorTokens()
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard !fields.isEmpty else { continue }
            do {
                tokens = try tokens.adding(fields)
            } catch {
                throw WireError("line \(index + 1) of the operators' tokens: \(error)")
            }
        }
        self = tokens
    }

    public var text: String {
        var text = "# name  role (view or operate)  added at (seconds since 1970)  SHA-256 of the token, in hex\n"
        for entry in self.entries {
            text += "\(entry.name) \(entry.role.rawValue) \(entry.addedAt.seconds) \(Self.hex(entry.digest))\n"
        }
        return text
    }

    private func adding(_ fields: [Substring]) throws(WireError) -> OperatorTokens {
        guard fields.count == 4 else {
            throw WireError("there are \(fields.count) fields, not 4 (name, role, added at, hash)")
        }
        try self.checkNew(String(fields[0]))
        guard let role = Role(rawValue: String(fields[1])) else { throw WireError("the role is not view or operate") }
        guard let seconds = Int64(fields[2]), (0...Int64.max / 1_000_000_000).contains(seconds) else {
            throw WireError("added at is not a number of seconds")
        }
        guard let digest = Self.bytes(hex: fields[3]), digest.count == SHA256.byteCount else {
            throw WireError("the hash is not \(SHA256.byteCount * 2) digits of hex")
        }
        let entry = Entry(
            name: String(fields[0]),
            role: role,
            addedAt: Timestamp(seconds: seconds),
            digest: digest
        )
        return OperatorTokens(self.entries + [entry])
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(hex: Substring) -> [UInt8]? {
        let digits = hex.utf8.map { ByteClass.hexValue($0) }
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
    }
}
