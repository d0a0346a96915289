/// A checked cursor over bytes from outside: every read is bounds-checked and little-endian, at any alignment, and the
/// first read past the end throws. Allocates nothing.
///
/// Valid only as long as the bytes under it.
public struct FrameReader {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int

    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.position = 0
    }

    public var remaining: Int { self.bytes.count - self.position }

    @inline(__always)
    public mutating func readUInt8() throws(WireError) -> UInt8 { try self.readNumber() }
    @inline(__always)
    public mutating func readUInt16() throws(WireError) -> UInt16 { UInt16(littleEndian: try self.readNumber()) }
    @inline(__always)
    public mutating func readUInt32() throws(WireError) -> UInt32 { UInt32(littleEndian: try self.readNumber()) }
    @inline(__always)
    public mutating func readUInt64() throws(WireError) -> UInt64 { UInt64(littleEndian: try self.readNumber()) }
    @inline(__always)
    public mutating func readInt64() throws(WireError) -> Int64 { Int64(littleEndian: try self.readNumber()) }

    /// The next `count` bytes, in place.
    @inline(__always)
    public mutating func readBytes(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= self.remaining else { throw Self.endsEarly }
        defer { self.position += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.position..<self.position + count])
    }

    /// A `u32` count of things that take `size` bytes each, refused unless that many bytes are present: a peer's count
    /// alone reserves no memory.
    public mutating func readCount(ofSize size: Int) throws(WireError) -> Int {
        let count = Int(try self.readUInt32())
        guard count <= self.remaining / size else { throw WireError("a count is larger than the bytes that follow it") }
        return count
    }

    /// A `u32` count and that many bytes of UTF-8.
    public mutating func readText(bytesMax: Int) throws(WireError) -> String {
        let count = try self.readCount(ofSize: 1)
        guard count <= bytesMax else { throw WireError("a text is longer than \(bytesMax) bytes") }
        guard let text = String(validating: try self.readBytes(count), as: UTF8.self) else {
            throw WireError("a text is not UTF-8")
        }
        return text
    }

    /// Refuses bytes left over.
    public func end() throws(WireError) {
        guard self.remaining == 0 else { throw WireError("bytes are left over after the last field") }
    }

    private static let endsEarly = WireError("the bytes end before the last field")

    @inline(__always)
    private mutating func readNumber<Number: FixedWidthInteger & BitwiseCopyable>() throws(WireError) -> Number {
        guard self.remaining >= MemoryLayout<Number>.size else { throw Self.endsEarly }
        defer { self.position += MemoryLayout<Number>.size }
        return self.bytes.loadUnaligned(fromByteOffset: self.position, as: Number.self)
    }
}
