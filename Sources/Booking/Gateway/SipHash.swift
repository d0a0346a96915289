/// SipHash-2-4 of 128 bits under a secret key: nobody without the key can aim at one of a table's sets. Some 15 ns.
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
public struct SipHash: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The key, from a source of true randomness.
    public init(key low: UInt64, _ high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The hash of the 16 bytes of `number`, lowest first.
    public func hash(_ number: UInt128) -> UInt64 {
        var state = State(self.low, self.high)
        state.take(UInt64(truncatingIfNeeded: number))
        state.take(UInt64(truncatingIfNeeded: number >> 64))
        state.take(16 << 56)  // the count of bytes, behind which none are left
        return state.finish()
    }

    private struct State {
        var a: UInt64
        var b: UInt64
        var c: UInt64
        var d: UInt64

        init(_ low: UInt64, _ high: UInt64) {
            self.a = low ^ 0x736F_6D65_7073_6575
            self.b = high ^ 0x646F_7261_6E64_6F6D
            self.c = low ^ 0x6C79_6765_6E65_7261
            self.d = high ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            self.d ^= word
            self.round()
            self.round()
            self.a ^= word
        }

        mutating func finish() -> UInt64 {
            self.c ^= 0xFF
            for _ in 0..<4 { self.round() }
            return self.a ^ self.b ^ self.c ^ self.d
        }

        private mutating func round() {
            self.a &+= self.b
            self.c &+= self.d
            self.b = Self.rotated(self.b, 13) ^ self.a
            self.d = Self.rotated(self.d, 16) ^ self.c
            self.a = Self.rotated(self.a, 32)
            self.c &+= self.b
            self.a &+= self.d
            self.b = Self.rotated(self.b, 17) ^ self.c
            self.d = Self.rotated(self.d, 21) ^ self.a
            self.c = Self.rotated(self.c, 32)
        }

        private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
    }
}
