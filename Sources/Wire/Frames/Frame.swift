public import Booking

/// Frames: the messages between processes of a cluster. The layout of each kind is in `README.md` beside this file.
///
///     0        4     5      6     8             16
///     │ length │kind │flags │slot │ request id  │ body ... │      all little-endian
///     │ u32    │ u8  │ u8   │ u16 │ u64         │
///     └────────┴─ length counts from here to the end ─────┘
public enum FrameLimits {
    /// The largest frame, with its length field. The largest body in use is the seats of a hall of 200,000, one byte
    /// each; a peer can't make this process buffer more than this per connection.
    public static let bytesMax = 1 << 20
    public static let headerBytes = 16
    public static let bodyBytesMax = Self.bytesMax - Self.headerBytes
    /// The reason of a goodbye.
    public static let reasonBytesMax = 1_024
    /// Changes when a frame changes in a way that the other side would misread.
    public static let protocolVersion: UInt16 = 4
    /// The `length` field counts everything after itself.
    static let lengthBytes = 4
}

enum FrameFlags {
    /// A client's key precedes the request's fields: `u64 high · u64 low` of its operation.
    static let key: UInt8 = 1
    /// The key is followed by the address whose limit it counts towards: `u64`, never 0.
    static let keyWithAddress: UInt8 = 3

    /// Length of the key fields; nil for undefined flags.
    static func keyBytes(_ flags: UInt8) -> Int? {
        switch flags {
        case 0: 0
        case Self.key: 16
        case Self.keyWithAddress: 24
        default: nil
        }
    }
}

/// The fields before each frame's body.
public struct FrameHeader: Equatable, Sendable {
    /// As sent; it may be unknown to this version.
    public let kind: UInt8
    /// Only those of `FrameFlags` are defined, and only for requests: known kinds refuse all others.
    public let flags: UInt8
    /// The slot for routing; 0 if none is meant. Not compared with the slot of the body's keys here.
    public let slot: Slot
    /// Chosen by the requester, unique among its in-flight requests on a connection; the answer has the same id. A
    /// gateway keeps it for a resend, and does not reuse it while answers are kept.
    public let requestID: UInt64

    /// Reads the 12 bytes after the length field.
    @inline(__always)
    init(from reader: inout FrameReader) throws(WireError) {
        self.kind = try reader.readUInt8()
        self.flags = try reader.readUInt8()
        guard let slot = Slot(checking: try reader.readUInt16()) else { throw WireError("a frame names no slot") }
        self.slot = slot
        self.requestID = try reader.readUInt64()
    }
}

/// One whole frame, still as bytes. `body` is valid only inside the call that receives the frame.
public struct Frame {
    public let header: FrameHeader
    public let body: UnsafeRawBufferPointer

    /// The type to decode it as.
    public enum Category: Equatable, Sendable {
        case request(Request.Kind)
        case reply(Reply.Kind)
        case control(Control.Kind)
        /// From a newer peer. The frame is whole, so it can be answered with `Control.unknownKind`, and the next read.
        case unknown(kind: UInt8, requestID: UInt64)
    }

    public var category: Category {
        if let kind = Request.Kind(rawValue: self.header.kind) { return .request(kind) }
        if let kind = Reply.Kind(rawValue: self.header.kind) { return .reply(kind) }
        if let kind = Control.Kind(rawValue: self.header.kind) { return .control(kind) }
        return .unknown(kind: self.header.kind, requestID: self.header.requestID)
    }

    /// A cursor over the body, after the checks common to all kinds.
    func reader() throws(WireError) -> FrameReader {
        guard self.header.flags == 0 else { throw WireError("a frame has a flag that is not defined") }
        return FrameReader(self.body)
    }

    /// The identity of a change in this frame: its client's key, or else the gateway's life and the request's id. Nil
    /// for other frames, and for a life of 0, which is not a gateway's.
    public func operation(ofLife life: UInt64) throws(WireError) -> Operation? {
        guard case .request = self.category else { return nil }
        guard self.header.flags & FrameFlags.key == 0 else {
            var reader = FrameReader(self.body)
            let id = OperationID(high: try reader.readUInt64(), low: try reader.readUInt64())
            guard self.header.flags == FrameFlags.keyWithAddress else { return Operation(id, .client) }
            return Operation(id, .client, from: try reader.readAddressTag())
        }
        guard life != 0 else { return nil }
        return Operation(OperationID(high: life, low: self.header.requestID), .gateway)
    }

    /// `bytes` are everything after the length field.
    init(afterLength bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = FrameReader(bytes)
        self.header = try FrameHeader(from: &reader)
        self.body = try reader.readBytes(reader.remaining)
    }
}

extension FrameBytes {
    /// Writes a header whose length is filled in by `endFrame`; returns where the frame starts.
    @inline(__always)
    mutating func beginFrame(kind: UInt8, flags: UInt8 = 0, slot: UInt16, requestID: UInt64) -> Int {
        let start = self.count
        self.reserve(FrameLimits.headerBytes + 48)  // the hot kinds fit: one capacity check for all their fields
        self.append(0 as UInt32)
        self.append(kind)
        self.append(flags)
        self.append(slot)
        self.append(requestID)
        return start
    }

    /// Removes the frame and throws if it is too long to be sent.
    @inline(__always)
    mutating func endFrame(_ start: Int) throws(WireError) {
        let length = self.count - start
        guard length <= FrameLimits.bytesMax else {
            self.truncate(to: start)
            throw WireError("a frame of \(length) bytes is longer than the \(FrameLimits.bytesMax) that may be sent")
        }
        self.overwrite(UInt32(length - FrameLimits.lengthBytes), at: start)
    }
}
