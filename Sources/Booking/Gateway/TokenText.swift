/// A token's text, kept beside a request so that its answer can repeat it without signing again. No allocation: 80
/// bytes in place.
public struct TokenText: Sendable {
    /// The contract's bound on a token's length.
    public static let bytesMax = 80

    public private(set) var count = 0
    private var bytes = InlineArray<80, UInt8>(repeating: 0)

    public init() {}

    /// Nil when `text` is longer than a token may be.
    public init?(_ text: UnsafeRawBufferPointer) {
        guard text.count <= Self.bytesMax else { return nil }
        self.count = text.count
        Swift.withUnsafeMutableBytes(of: &self.bytes) { $0.copyMemory(from: text) }
    }

    /// `write` fills exactly `count` bytes, at most `bytesMax`.
    public init(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(count <= Self.bytesMax, "a token of \(count) bytes is too long")
        self.count = count
        withUnsafeMutableBytes(of: &self.bytes) { write(UnsafeMutableRawBufferPointer(rebasing: $0[..<count])) }
    }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: self.bytes) { body(UnsafeRawBufferPointer(rebasing: $0[0..<self.count])) }
    }
}
