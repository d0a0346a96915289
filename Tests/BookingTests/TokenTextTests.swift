import Booking
import Testing

@Suite struct TokenTextTests {
    @Test(arguments: [0, 1, 79, 80])
    func `a token comes back as it was written`(count: Int) throws {
        let bytes = (0..<count).map { UInt8($0) }
        let text = try #require(bytes.withUnsafeBytes { TokenText($0) })
        #expect(text.count == count)
        #expect(text.withUnsafeBytes { Array($0) } == bytes)
    }

    @Test func `a token that is too long is refused`() {
        #expect([UInt8](repeating: 65, count: 81).withUnsafeBytes { TokenText($0) } == nil)
    }
}
