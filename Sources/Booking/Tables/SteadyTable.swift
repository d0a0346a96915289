/// A dictionary of millions that grows without a long pause.
///
///     hash of the key ──▶ one of 256 dictionaries, the last with twice the share of the first
///
/// A dictionary doubles by moving all its entries, while its process does nothing else: 10 ms with 50,000 entries of 56
/// bytes, 160 ms with 800,000 (where a cache miss takes 0.2 µs). Here each part doubles alone, and moves 1/256 of all;
/// as their shares form a geometric series, no two double at the same time: between one size and twice that size the
/// parts double one after the other. So the spare memory for growth is a constant share at any size, while a single
/// dictionary is between 3/8 and 3/4 full.
///
/// Costs a dictionary's time and one more hash of the key, which for identifiers is a multiplication. Up to 3,072
/// entries, the size at which a dictionary would double, it is a single one: most concerts never have more.
public struct SteadyTable<Key: Hashable, Value> {
    private static var partCount: Int { 256 }
    private static var singleCountMax: Int { 3_072 }

    /// One, or `partCount`.
    private var parts: [[Key: Value]] = [[:]]
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { self.count == 0 }

    /// Entries that fit without more memory, over all parts. O(1), as there are 256 at most.
    public var capacity: Int { self.parts.reduce(0) { $0 + $1.capacity } }

    // Inlined, so that reading a part of a value does not copy the whole.
    @inline(__always)
    public subscript(key: Key) -> Value? { self.parts[self.part(of: key)][key] }

    /// The value, changed in place; `default` if there is none.
    public subscript(key: Key, default default: @autoclosure () -> Value) -> Value {
        @inline(__always)
        get { self.parts[self.part(of: key)][key, default: `default`()] }
        @inline(__always)
        _modify {
            let part = self.part(of: key)
            let before = self.parts[part].count
            defer { self.hasGrown(by: self.parts[part].count - before) }
            yield &self.parts[part][key, default: `default`()]
        }
    }

    /// Returns the old value.
    @discardableResult
    public mutating func updateValue(_ value: Value, forKey key: Key) -> Value? {
        let before = self.parts[self.part(of: key)].updateValue(value, forKey: key)
        if before == nil { self.hasGrown(by: 1) }
        return before
    }

    /// Returns the removed value.
    @discardableResult
    public mutating func removeValue(forKey key: Key) -> Value? {
        let removed = self.parts[self.part(of: key)].removeValue(forKey: key)
        if removed != nil { self.count -= 1 }
        return removed
    }

    /// Changes a value in place; nil when there is none.
    @inline(__always)
    public mutating func change<Result>(_ key: Key, _ body: (inout Value) -> Result) -> Result? {
        let part = self.part(of: key)
        guard let index = self.parts[part].index(forKey: key) else { return nil }
        return body(&self.parts[part].values[index])
    }

    /// In no order.
    public var keys: some Sequence<Key> { self.parts.lazy.flatMap(\.keys) }
    public var values: some Sequence<Value> { self.parts.lazy.flatMap(\.values) }

    @inline(__always)
    private mutating func hasGrown(by difference: Int) {
        self.count += difference
        if self.count > Self.singleCountMax, self.parts.count == 1 { self.split() }
    }

    private mutating func split() {
        let single = self.parts[0]
        self.parts = (0..<Self.partCount).map { _ in Dictionary(minimumCapacity: self.count / Self.partCount) }
        for (key, value) in single { self.parts[self.part(of: key)].updateValue(value, forKey: key) }
    }

    /// The share of a part grows with its number, from 3/4 to 3/2 of the mean: x(4 - x)/3 for a hash x from 0 to 1 is
    /// within 0.01 of log2(1 + x), which would give the exact shares 2^(i/256).
    @inline(__always)
    private func part(of key: Key) -> Int {
        guard self.parts.count > 1 else { return 0 }
        let hash = (key._rawHashValue(seed: Self.seed) >> 48) & 0xFFFF
        return (hash * ((4 << 16) - hash) / 3) >> 24
    }

    /// Different from a dictionary's own seed, since its slots use the same hash.
    private static var seed: Int { 0x5EED_0F_BA47 }
}

extension SteadyTable: Sequence {
    public func makeIterator() -> some IteratorProtocol<(key: Key, value: Value)> {
        self.parts.lazy.joined().makeIterator()
    }
}

extension SteadyTable: Sendable where Key: Sendable, Value: Sendable {}
