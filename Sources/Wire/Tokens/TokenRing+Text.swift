import Booking
import Cryptography

/// The key ring as text, for a file that only its owner may read: one key a line, `#` starts a comment.
///
///     # id  active from (seconds since 1970)  secret (base64 of 32 bytes)
///     1 1767193200 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
///     # check 8c1f...
///
/// The last line is SHA-256 over all lines before it, 64 hexadecimal digits: it detects accidental and manual changes.
/// A file without it is accepted, as earlier versions wrote it.
extension TokenRing {
    /// Throws with the number of the bad line and never with its content, which may be a secret.
    public init(text: String) throws(WireError) {
        try Self.checkSum(of: text)
        var keys: [TokenKey] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard !fields.isEmpty else { continue }
            do {
                let key = try Self.key(from: fields)
                for other in keys where other.id == key.id {
                    throw WireError("key id \(key.id) is on an earlier line, too")
                }
                for other in keys where other.activeFrom == key.activeFrom {
                    throw WireError("key \(other.id) on an earlier line is active from the same second")
                }
                keys.append(key)
            } catch {
                throw WireError("line \(index + 1) of the key ring: \(error)")
            }
        }
        try self.init(keys)
    }

    /// The ring as `init(text:)` reads it, oldest key first. Holds the secrets: for the key file only.
    public var text: String {
        var text = "# id  active from (seconds since 1970)  secret (base64 of 32 bytes)\n"
        for key in self.keys {
            let secret = key.withSecret { secret in
                let count = Base64.standard.textCount(ofBytes: secret.count)
                return String(unsafeUninitializedCapacity: count) { characters in
                    let room = UnsafeMutableRawBufferPointer(characters)
                    Base64.standard.encode(secret, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
                    return count
                }
            }
            text += "\(key.id) \(key.activeFrom.seconds) \(secret)\n"
        }
        return text + "\(Self.checkMark)\(Self.sum(of: text))\n"
    }

    private static let checkMark = "# check "

    private static func checkSum(of text: String) throws(WireError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let line = lines.lastIndex(where: { $0.hasPrefix(Self.checkMark) }) else { return }
        let before = lines[..<line].map { "\($0)\n" }.joined()
        guard lines[line].dropFirst(Self.checkMark.count) == Self.sum(of: before),
            lines[(line + 1)...].allSatisfy(\.isEmpty)
        else { throw WireError("the key ring was altered: its last line is not the checksum of those before") }
    }

    private static func sum(of text: String) -> String {
        SHA256.hash(Array(text.utf8)).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
            .joined()
    }

    private static func key(from fields: [Substring]) throws(WireError) -> TokenKey {
        guard fields.count == 3 else {
            throw WireError("there are \(fields.count) fields, not 3 (id, active from, secret)")
        }
        guard let id = UInt8(fields[0]) else { throw WireError("the id is not a number from 0 to 255") }
        guard let seconds = Int64(fields[1]), (0...Self.activeFromSecondsMax).contains(seconds) else {
            throw WireError("active from is not a number of seconds from 0 to \(Self.activeFromSecondsMax)")
        }
        var secret = [UInt8](repeating: 0, count: TokenKey.secretBytes)
        var text = String(fields[2])
        let isWhole = text.withUTF8 { text in
            secret.withUnsafeMutableBytes { Base64.standard.decode(UnsafeRawBufferPointer(text), into: $0) }
        }
        guard isWhole else { throw WireError("the secret is not the base64 of \(TokenKey.secretBytes) bytes") }
        return try TokenKey(id: id, secret: secret, activeFrom: Timestamp(seconds: seconds))
    }

    /// The last whole second of a `Timestamp`, in 2262.
    private static let activeFromSecondsMax: Int64 = Int64.max / 1_000_000_000
}
