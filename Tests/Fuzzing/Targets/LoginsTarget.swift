import Booking

@testable import Wire

/// Authentication: a login token before its signature is checked, its header, and the file of operators' tokens.
///
///     │ header '.' claims '.' signature │      the three parts as bytes; the reader gets them in base64url, too
enum LoginsTarget {
    private static let now: Int64 = 1_767_193_200

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        try self.checkHeader(ByteView(input))
        try self.checkFile(String(decoding: input, as: UTF8.self))
        self.read(ByteView(input))
        let parts = input.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        let token = parts.map { self.text(Array($0)) }.joined(separator: [UInt8(ascii: ".")])
        Array(token).withUnsafeBytes { self.read(ByteView($0)) }
    }

    private static func read(_ token: ByteView) {
        var rules = IdentityToken.Rules()
        rules.audience = "a"
        for rules in [rules, IdentityToken.Rules()] {
            guard let read = try? IdentityToken(token, rules, at: self.now) else { continue }
            precondition(read.endsAt > self.now, "a token that is over was taken")
            precondition(read.signedCount < token.count, "nothing of a token is its signature")
        }
    }

    /// An accepted token is part of the header, and has no space.
    private static func checkHeader(_ value: ByteView) throws(BrokenProperty) {
        guard let token = BearerToken.token(in: value) else { return }
        try require(!token.isEmpty && token.count < value.count, "a token is no part of its header")
        try require(token.bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a token holds a space")
    }

    private static func checkFile(_ text: String) throws(BrokenProperty) {
        guard let tokens = try? OperatorTokens(text: text) else { return }
        guard let again = try? OperatorTokens(text: tokens.text) else {
            throw BrokenProperty("operators' tokens were read, and what is written for them is not")
        }
        try require(again == tokens, "operators' tokens are others after they were written and read")
    }

    private static func text(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: Base64.url.textCount(ofBytes: bytes.count))
        bytes.withUnsafeBytes { bytes in text.withUnsafeMutableBytes { Base64.url.encode(bytes, into: $0) } }
        return text
    }
}
