extension UInt64 {
    /// The two halves of the 128-bit product, folded by exclusive or: each bit of either factor reaches high and low
    /// bits of the result. The base of our hashes, with secret factors; as in wyhash (Wang Yi).
    @inline(__always)
    func foldedProduct(_ other: UInt64) -> UInt64 {
        let product = self.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }
}
