import Testing

@testable import Cryptography

@Suite struct SecretTests {
    @Test func `it is its bytes, and tells nobody`() {
        let bytes = Array("the secret of a ring".utf8)
        let secret = Secret(bytes)
        #expect(secret.withUnsafeBytes { Array($0) } == bytes)
        #expect(
            secret == Secret(bytes) && secret != Secret(Array(bytes.dropLast())) && secret != Secret(bytes.reversed())
        )
        var dumped = ""
        dump(secret, to: &dumped)
        for text in [dumped, "\(secret)", String(reflecting: secret)] {
            #expect(!text.contains("ring") && !text.contains("116"), "\(text)")
        }
    }

    @Test func `the bytes that it was made from stay as they are when it goes`() {
        let bytes = [UInt8](repeating: 7, count: 32)
        do { _ = Secret(bytes) }
        #expect(bytes.allSatisfy { $0 == 7 })
    }
}
