extension UInt64 {
    /// Both halves of the product of 128 bits, one folded on the other: each bit of either factor reaches bits of the result
    /// high and low. What our hashes are made of, under factors that nobody else knows; as in wyhash (Wang Yi).
    @inline(__always)
    func foldedProduct(_ other: UInt64) -> UInt64 {
        let product = self.multipliedFullWidth(by: other)
        return product.high ^ product.low
    }
}
