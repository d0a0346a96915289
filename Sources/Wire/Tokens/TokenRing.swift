public import Booking

/// The keys that sign tokens. A token is made from its pass alone and is stored nowhere: the same pass always gives the
/// same token, because the time of the pass determines the key.
///
///     keys, by activeFrom:   1 ───────────▶ 2 ─────────▶ 3 ───▶
///     pass issued here:          ▲ key 1         ▲ key 2
///
///     token:   │version u8│key id u8│concert u64│user u64│place u64│issued-at i64│HMAC-SHA256 cut to 16│   50 bytes,
///              little-endian, as 67 characters of base64url without padding
///
/// A new key must be in every gateway's ring before it becomes active; else the tokens of passes issued in between
/// change. A key is deleted when all passes of its time have expired: its tokens are unknown from then on.
public struct TokenRing: Equatable, Sendable {
    /// How long a token is, in characters.
    public static let tokenCount = 67

    private static let version: UInt8 = 1
    private static let messageBytes = 34
    private static let addressMessageBytes = 17
    /// 128 bits: a forger with a million attempts a second needs 10^24 years for an even chance.
    private static let codeBytes = 16
    private static let tokenBytes = Self.messageBytes + Self.codeBytes

    /// By `activeFrom`, oldest first; never empty.
    public let keys: [TokenKey]

    /// Refuses an empty list, duplicate ids, and two keys active from the same second.
    public init(_ keys: [TokenKey]) throws(WireError) {
        guard !keys.isEmpty else { throw WireError("a token ring needs at least one key") }
        let sorted = keys.sorted { $0.activeFrom < $1.activeFrom }
        for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.activeFrom == later.activeFrom {
            throw WireError("token keys \(earlier.id) and \(later.id) are active from the same second")
        }
        var seen: Set<UInt8> = []
        for key in sorted {
            guard seen.insert(key.id).inserted else { throw WireError("token key \(key.id) is twice in the ring") }
        }
        self.keys = sorted
    }

    /// The newest key active at `moment`; the oldest of all for earlier moments, so that people whose key was deleted
    /// get a token again when they join again.
    func key(for moment: Timestamp) -> TokenKey {
        self.keys.last { $0.activeFrom <= moment } ?? self.keys[0]
    }

    /// The tag of a client's address: a code under the oldest key, so that adding a key changes nothing. When the
    /// oldest is removed, addresses get new tags. 0.1 µs.
    public func tag(of address: IPAddress) -> AddressTag {
        withUnsafeTemporaryAllocation(byteCount: Self.addressMessageBytes, alignment: 8) { message in
            // No token begins with this byte, so that codes of addresses and tokens never mix.
            message[0] = 0xAD
            message.storeBytes(of: address.bits.littleEndian, toByteOffset: 1, as: UInt128.self)
            return self.keys[0].withCode(of: UnsafeRawBufferPointer(message)) { code in
                AddressTag(max(1, UInt64(littleEndian: code.loadUnaligned(as: UInt64.self))))!
            }
        }
    }

    /// Writes the token into `text`, which has room for exactly `tokenCount` characters. 0.15 µs.
    public func sign(_ pass: Pass, into text: UnsafeMutableRawBufferPointer) {
        let key = self.key(for: pass.issuedAt)
        withUnsafeTemporaryAllocation(byteCount: Self.tokenBytes, alignment: 8) { token in
            token[0] = Self.version
            token[1] = key.id
            token.storeBytes(of: pass.concert.rawValue.littleEndian, toByteOffset: 2, as: UInt64.self)
            token.storeBytes(of: pass.user.rawValue.littleEndian, toByteOffset: 10, as: UInt64.self)
            token.storeBytes(of: pass.place.rawValue.littleEndian, toByteOffset: 18, as: UInt64.self)
            token.storeBytes(of: pass.issuedAt.nanoseconds.littleEndian, toByteOffset: 26, as: Int64.self)
            key.withCode(of: UnsafeRawBufferPointer(rebasing: token[..<Self.messageBytes])) { code in
                for offset in 0..<Self.codeBytes { token[Self.messageBytes + offset] = code[offset] }
            }
            Base64.url.encode(UnsafeRawBufferPointer(token), into: text)
        }
    }

    /// The token in place, without allocation.
    public func text(of pass: Pass) -> TokenText { TokenText(count: Self.tokenCount) { self.sign(pass, into: $0) } }

    public func sign(_ pass: Pass) -> String {
        String(unsafeUninitializedCapacity: Self.tokenCount) { text in
            self.sign(
                pass,
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(text)[..<Self.tokenCount])
            )
            return Self.tokenCount
        }
    }

    /// The pass of the token `text`; nil unless it is exactly the token that `sign` makes for it. Codes are compared in
    /// constant time. Allocates nothing, as `sign`.
    public func verify(_ text: UnsafeRawBufferPointer) -> Pass? {
        guard text.count == Self.tokenCount else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: Self.tokenBytes, alignment: 8) { token -> Pass? in
            guard Base64.url.decode(text, into: token), token[0] == Self.version else { return nil }
            let id = token[1]
            guard let key = self.keys.last(where: { $0.id == id }) else { return nil }
            let message = UnsafeRawBufferPointer(rebasing: token[..<Self.messageBytes])
            let sent = UnsafeRawBufferPointer(rebasing: token[Self.messageBytes...])
            let genuine = key.withCode(of: message) { code in
                var difference: UInt8 = 0
                for offset in 0..<Self.codeBytes { difference |= code[offset] ^ sent[offset] }
                return difference == 0
            }
            guard genuine else { return nil }
            return self.pass(from: message, signedBy: id)
        }
    }

    public func verify(_ text: String) -> Pass? {
        var text = text
        return text.withUTF8 { self.verify(UnsafeRawBufferPointer($0)) }
    }

    /// A key signs only passes of its own time: a leaked old key can't make passes for today.
    private func pass(from message: UnsafeRawBufferPointer, signedBy id: UInt8) -> Pass? {
        var reader = FrameReader(UnsafeRawBufferPointer(rebasing: message[2...]))
        guard let pass = try? reader.readPass(), self.key(for: pass.issuedAt).id == id else { return nil }
        return pass
    }
}
