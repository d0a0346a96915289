/// Random numbers that a seed repeats, on any machine: the source of chance for the simulator, the benchmarks and the
/// tests. SplitMix64, in Steele et al., "Fast splittable pseudorandom number generators", 2014.
///
/// Also a generator for the standard library, whose use of the numbers (`shuffled(using:)`) may change between
/// versions; the functions here do not change.
public struct SeededRandom: RandomNumberGenerator {
    @usableFromInline var state: UInt64

    @inlinable public init(seed: UInt64) { self.state = seed }

    @inlinable public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Above 0, up to 1.
    @inlinable public mutating func unit() -> Double { Double((self.next() >> 11) + 1) / Double(1 << 53) }

    /// 0 ..< `bound`.
    @inlinable public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "nothing to choose from")
        return Int(truncatingIfNeeded: self.next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Both ends included.
    @inlinable public mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + self.below(range.upperBound - range.lowerBound + 1)
    }

    /// True once in `count` times.
    @inlinable public mutating func once(in count: Int) -> Bool { self.below(count) == 0 }

    @inlinable public mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[self.below(elements.count)]
    }

    /// A number of 0 ..< `weights.count`, with probability by its weight.
    public mutating func weighted(_ weights: [Int]) -> Int {
        var rest = self.below(weights.reduce(0, +))
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        preconditionFailure("the weights add up to more than their sum")
    }
}
