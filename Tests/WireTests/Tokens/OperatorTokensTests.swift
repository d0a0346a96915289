import Booking
import Seeded
import Testing
import Wire

@Suite struct OperatorTokensTests {
    private static let now = Timestamp(seconds: 1_767_193_200)

    private func role(_ tokens: OperatorTokens, _ text: String) -> OperatorTokens.Role? {
        var text = text
        return text.withUTF8 { tokens.role(of: ByteView(UnsafeRawBufferPointer($0))) }
    }

    @Test func `a token is known by its text, and only a hash is kept`() throws {
        var random = SeededRandom(seed: 1)
        let (one, first) = try OperatorTokens().adding("grafana", .view, at: Self.now, random: &random)
        let (both, second) = try one.adding("ann", .operate, at: Self.now, random: &random)
        #expect(first.hasPrefix(OperatorTokens.prefix) && first.utf8.count == OperatorTokens.prefix.utf8.count + 43)
        #expect(self.role(both, first) == .view && self.role(both, second) == .operate)
        #expect(self.role(one, second) == nil)
        #expect(!both.text.contains(first.dropFirst(OperatorTokens.prefix.utf8.count)))
        let read = try OperatorTokens(text: both.text)
        #expect(read == both && self.role(read, first) == .view)
    }

    @Test func `whatever differs in a character is no token`() throws {
        var random = SeededRandom(seed: 2)
        let (tokens, token) = try OperatorTokens().adding("ann", .operate, at: Self.now, random: &random)
        for at in token.utf8.indices.map({ token.utf8.distance(from: token.startIndex, to: $0) }) {
            var forged = Array(token.utf8)
            forged[at] ^= 1
            #expect(self.role(tokens, String(decoding: forged, as: UTF8.self)) == nil)
        }
        for wrong in ["", String(token.dropLast()), token + "A", token.uppercased()] {
            #expect(self.role(tokens, wrong) == nil)
        }
    }

    @Test func `a removed token is none, and its name is free`() throws {
        var random = SeededRandom(seed: 3)
        let (tokens, token) = try OperatorTokens().adding("ann", .view, at: Self.now, random: &random)
        let rest = try #require(tokens.removing("ann"))
        #expect(rest.isEmpty && rest.removing("ann") == nil && self.role(rest, token) == nil)
        _ = try rest.adding("ann", .view, at: Self.now, random: &random)
    }

    @Test(arguments: ["", "a b", "ann#", "안", String(repeating: "a", count: 65)])
    func `a name that is none is refused`(name: String) throws {
        var random = SeededRandom(seed: 4)
        #expect(throws: WireError.self) { try OperatorTokens().adding(name, .view, at: Self.now, random: &random) }
    }

    @Test(arguments: [
        ("ann view 1", "there are 3 fields, not 4 (name, role, added at, hash)"),
        ("ann root 1 00", "the role is not view or operate"),
        ("ann view -1 00", "added at is not a number of seconds"),
        ("ann view 1 00", "the hash is not 64 digits of hex"),
        ("ann view 1 \(String(repeating: "0g", count: 32))", "the hash is not 64 digits of hex"),
        ("bob view 1 \(String(repeating: "00", count: 32))", "there is a token bob already"),
    ]) func `a mistake in the file is named with its line`(line: String, reason: String) {
        let text = "# who\nbob operate 1 \(String(repeating: "00", count: 32))\n\(line)\n"
        #expect(throws: WireError("line 3 of the operators' tokens: \(reason)")) { try OperatorTokens(text: text) }
    }

    @Test func `operate includes view, not the other way round`() {
        #expect(OperatorTokens.Role.operate.includes(.view) && OperatorTokens.Role.operate.includes(.operate))
        #expect(OperatorTokens.Role.view.includes(.view) && !OperatorTokens.Role.view.includes(.operate))
    }
}

@Suite struct BearerTokenTests {
    private func token(_ header: String) -> String? {
        var header = header
        return header.withUTF8 { BearerToken.token(in: ByteView(UnsafeRawBufferPointer($0)))?.text }
    }

    @Test(arguments: [
        ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER  a-._~+/1==", "a-._~+/1=="), (" Bearer abc ", "abc"),
    ]) func `a bearer's token is found`(header: String, token: String) { #expect(self.token(header) == token) }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer =", "Basic abc", "Bearerabc", "Bearer a b", "Bearer a,b", "Bearer \"abc\"",
        "Bearer a=b", "Bearer 토큰", "Bearer\tabc",
    ]) func `anything else has none`(header: String) { #expect(self.token(header) == nil) }
}
