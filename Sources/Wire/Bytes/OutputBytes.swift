/// A reusable, growing buffer for output. Owns its memory; moved, never copied.
///
///     | written ............ | room ...... |
///     0                    count        capacity
///
/// Appending is constant time but for growth, which doubles; after the first few answers of a connection nothing is
/// allocated.
public struct OutputBytes: ~Copyable {
    /// The smallest memory taken at once: room for the head and body of a usual answer.
    private static let smallest = 512

    private var storage: UnsafeMutableRawPointer?
    public private(set) var count = 0
    public private(set) var capacity = 0

    public init() {}
    public init(capacity: Int) { self.grow(to: capacity) }
    deinit { self.storage?.deallocate() }

    public var isEmpty: Bool { self.count == 0 }

    /// The bytes written; valid until the next change.
    public var view: ByteView {
        guard let storage = self.storage else { return .empty }
        return ByteView(base: UnsafeRawPointer(storage), count: self.count)
    }

    /// The last byte written; nil when there is none.
    public var last: UInt8? {
        self.count == 0 ? nil : self.storage!.load(fromByteOffset: self.count - 1, as: UInt8.self)
    }

    /// Copies the bytes out; for tests and rare paths.
    public var array: [UInt8] { Array(self.view.bytes) }

    // MARK: Room

    /// Makes room for `more` bytes after those written.
    @inline(__always)
    public mutating func reserve(_ more: Int) {
        if self.count + more > self.capacity { self.grow(to: self.count + more) }
    }

    /// Discards the bytes written. Frees memory above `keepingAtMost` bytes, so that one large answer does not stay
    /// with an idle connection.
    public mutating func removeAll(keepingAtMost retained: Int = .max) {
        self.count = 0
        guard self.capacity > retained else { return }
        self.storage?.deallocate()
        self.storage = nil
        self.capacity = 0
    }

    /// Removes the bytes in `range` and moves the following ones down; linear in the bytes moved.
    public mutating func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= self.count, "removed bytes that were never written")
        guard let storage = self.storage, !range.isEmpty else { return }
        (storage + range.lowerBound).copyMemory(
            from: storage + range.upperBound,
            byteCount: self.count - range.upperBound
        )
        self.count -= range.count
    }

    private mutating func grow(to wanted: Int) {
        precondition(wanted >= 0, "a buffer of negative size")
        let capacity = Swift.max(wanted, self.capacity * 2, Self.smallest)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        if let storage = self.storage {
            fresh.copyMemory(from: storage, byteCount: self.count)
            storage.deallocate()
        }
        self.storage = fresh
        self.capacity = capacity
    }

    // MARK: Bytes and text

    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.storage!.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    @inline(__always)
    public mutating func append(_ bytes: ByteView) {
        self.reserve(bytes.count)
        guard bytes.count > 0 else { return }
        (self.storage! + self.count).copyMemory(from: bytes.base, byteCount: bytes.count)
        self.count += bytes.count
    }

    @inline(__always)
    public mutating func append(_ text: StaticString) { self.append(ByteView(text)) }

    /// The UTF-8 of `text`. Has a label so that a literal is a `StaticString`, which needs no counting.
    public mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { self.append(ByteView(UnsafeRawBufferPointer($0))) }
    }

    // MARK: Numbers

    /// In decimal, without leading zeros.
    public mutating func append(decimal number: UInt64) {
        self.reserve(20)
        let digits = Self.digitCount(number)
        var at = self.count + digits
        self.count = at
        var rest = number
        repeat {
            at -= 1
            self.storage!.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: at, as: UInt8.self)
            rest /= 10
        } while rest > 0
    }

    public mutating func append(decimal number: Int64) {
        if number < 0 { self.append(UInt8(ascii: "-")) }
        self.append(decimal: number.magnitude)
    }

    /// In decimal with leading zeros to `width` digits; only the low digits when the number is wider.
    public mutating func append(decimal number: Int, width: Int) {
        self.reserve(width)
        var rest = number.magnitude
        for place in stride(from: width - 1, through: 0, by: -1) {
            self.storage!.storeBytes(of: 0x30 + UInt8(rest % 10), toByteOffset: self.count + place, as: UInt8.self)
            rest /= 10
        }
        self.count += width
    }

    /// Sixteen lower-case hexadecimal digits.
    public mutating func append(hex number: UInt64) {
        self.reserve(16)
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - place * 4)) & 15
            self.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }

    @inline(__always)
    private static func digitCount(_ number: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while number >= bound {
            count += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            guard !overflow else { return count }
            bound = next
        }
        return count
    }
}
