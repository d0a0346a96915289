import Seeded
import TestSupport
import Testing

@testable import Wire

@Suite struct KeyedHashTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `every code is the one that OpenSSL makes`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) } }
        for keyCount in 0...KeyedHash.keyBytesMax {
            let key = bytes(keyCount)
            for messageCount in 0...KeyedHash.messageBytesMax {
                let message = bytes(messageCount)
                let code = message.withUnsafeBytes { KeyedHash(key: key).withCode(of: $0, Array.init) }
                let expected = AuthenticationCode.make(of: message, key: key)
                #expect(
                    code == expected,
                    "seed \(seed): key of \(keyCount), message of \(messageCount) bytes"
                )
            }
        }
    }
}
