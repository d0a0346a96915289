/// Hashes 128 bits to 64 under a secret that is drawn once, so that clients cannot aim at one of a table's sets. Two
/// multiplications of 64 by 64 bits, halves folded: a few nanoseconds, a tenth of SipHash, which would run twice for
/// each request. Not cryptographic: an observer of its values could learn the secret.
public struct ClientHash: Sendable {
    private let masks: (UInt64, UInt64)
    private let factor: UInt64

    /// Both arguments from a source of true randomness.
    public init(masks: (UInt64, UInt64), factor: UInt64) {
        self.masks = masks
        self.factor = factor | 1
    }

    public func hash(_ number: UInt128) -> UInt64 {
        let low = UInt64(truncatingIfNeeded: number) ^ self.masks.0
        let high = UInt64(truncatingIfNeeded: number >> 64) ^ self.masks.1
        return (low.foldedProduct(high) ^ low).foldedProduct(self.factor)
    }
}
