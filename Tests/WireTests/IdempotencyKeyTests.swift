import Booking
import Cryptography
import Testing

@testable import Wire

@Suite struct IdempotencyKeyTests {
    private static let user = UserID(42)

    private func operation(_ key: String, _ user: UserID = Self.user) throws -> OperationID {
        var key = key
        return try key.withUTF8 { try IdempotencyKey.operation(ByteView(UnsafeRawBufferPointer($0)), of: user) }
    }

    @Test func `it is the user and half of SHA-256 over user and key, for as long as answers are kept`() throws {
        let digest = Array(SHA256.hash([42, 0, 0, 0, 0, 0, 0, 0] + Array("abc".utf8)))
        func half(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        #expect(try self.operation("abc") == OperationID(high: 42, low: half(digest[..<8])))
    }

    @Test func `another user, or another key, is another operation`() throws {
        let keys = ["a", "b", "\"a\"", "A", String(repeating: "x", count: 255)]
        let operations = try keys.map { try self.operation($0) } + [try self.operation("a", UserID(43))]
        #expect(Set(operations).count == operations.count)
    }

    @Test(arguments: ["", " ", "a b", "a\tb", "키", "a\u{7F}", String(repeating: "x", count: 256)])
    func `what is not 1 to 255 visible characters is refused`(key: String) throws {
        let problem = #expect(throws: Problem.self) { try self.operation(key) }
        #expect(problem?.code == "IDEMPOTENCY_KEY_INVALID")
        #expect(problem?.status == .badRequest)
    }

    @Test func `every visible character is taken`() throws {
        for byte in 0x21...0x7E as ClosedRange<UInt8> { _ = try self.operation(String(UnicodeScalar(byte))) }
    }
}
