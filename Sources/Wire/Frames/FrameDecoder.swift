/// Cuts a stream of bytes, arriving in any pieces, into frames.
///
///     chunk:   ...end of a frame │ whole │ whole │ start of a fr...
///                     │              in place, no copy        │
///     tail:   start ──┘ copied                                └─▶ kept until the next chunk
///
/// After the first error it is poisoned: frame boundaries are lost, so every later call throws the same error. Keeps at
/// most one incomplete frame, and memory only for bytes that have arrived.
public struct FrameDecoder: ~Copyable {
    private var tail: FrameBytes
    private var failure: WireError?

    public init() { self.tail = FrameBytes() }

    /// Bytes of an incomplete frame; if the stream ends while this is not 0, the peer stopped in mid-frame.
    public var pendingBytes: Int { self.tail.count }

    /// Calls `onFrame` with each frame that is complete, in order. An error of `onFrame` poisons the decoder, too.
    public mutating func feed(
        _ chunk: UnsafeRawBufferPointer,
        _ onFrame: (Frame) throws(WireError) -> Void
    ) throws(WireError) {
        if let failure = self.failure { throw failure }
        do {
            let rest = try self.finishTail(with: chunk, onFrame)
            let whole = try Self.eachFrame(in: rest, onFrame)
            self.tail.append(UnsafeRawBufferPointer(rebasing: rest[whole...]))
        } catch {
            self.failure = error
            self.tail.removeAll(keepingCapacity: false)
            throw error
        }
    }

    /// Completes the frame begun by earlier chunks; returns the rest of `chunk`.
    private mutating func finishTail(
        with chunk: UnsafeRawBufferPointer,
        _ onFrame: (Frame) throws(WireError) -> Void
    ) throws(WireError) -> UnsafeRawBufferPointer {
        guard !self.tail.isEmpty else { return chunk }
        var used = 0
        if self.tail.count < FrameLimits.lengthBytes {
            used = min(FrameLimits.lengthBytes - self.tail.count, chunk.count)
            self.tail.append(UnsafeRawBufferPointer(rebasing: chunk[..<used]))
            guard self.tail.count == FrameLimits.lengthBytes else {
                return UnsafeRawBufferPointer(rebasing: chunk[used...])
            }
        }
        let size = try self.tail.withUnsafeBytes { (bytes) throws(WireError) in try Self.frameSize(at: bytes) }
        let missing = min(size - self.tail.count, chunk.count - used)
        self.tail.append(UnsafeRawBufferPointer(rebasing: chunk[used..<used + missing]))
        used += missing
        if self.tail.count == size {
            try self.tail.withUnsafeBytes { (bytes) throws(WireError) in _ = try Self.eachFrame(in: bytes, onFrame) }
            self.tail.removeAll()
        }
        return UnsafeRawBufferPointer(rebasing: chunk[used...])
    }

    /// Returns how many bytes the whole frames of `bytes` took.
    private static func eachFrame(
        in bytes: UnsafeRawBufferPointer,
        _ onFrame: (Frame) throws(WireError) -> Void
    ) throws(WireError) -> Int {
        var start = 0
        while bytes.count - start >= FrameLimits.lengthBytes {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let size = try Self.frameSize(at: rest)
            guard size <= rest.count else { break }
            let afterLength = UnsafeRawBufferPointer(rebasing: rest[FrameLimits.lengthBytes..<size])
            try onFrame(Frame(afterLength: afterLength))
            start += size
        }
        return start
    }

    /// The size of the frame whose length field is at the start of `bytes`, which has at least those four.
    private static func frameSize(at bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
        let length = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        let size = Int(length) + FrameLimits.lengthBytes
        guard size >= FrameLimits.headerBytes else { throw WireError("a frame is shorter than its header") }
        guard size <= FrameLimits.bytesMax else {
            throw WireError("a frame of \(size) bytes is longer than the \(FrameLimits.bytesMax) allowed")
        }
        return size
    }
}
