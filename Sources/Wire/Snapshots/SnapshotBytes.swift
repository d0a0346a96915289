public import Booking

/// A snapshot of a shard as bytes: the start of a restart, before the facts after it.
///
///     │ "USHRSNAP" │ version u16 │ items: kind u8 · fields, little-endian ... │ 255 · count of items u64 │
///
/// The same state gives the same bytes. The version covers what a reader must know to read at all; a kind whose fields
/// change gets a new number instead. Frames/README.md has the table of fields. No checksum: the snapshot's storage has
/// one.
public enum SnapshotBytes {
    static let magic: StaticString = "USHRSNAP"
    static let version: UInt16 = 1
    /// In place of a kind: the end of the items.
    static let end: UInt8 = 255

    /// Appends a shard's state. A million people waiting and 100,000 reservations are 34 MB.
    public static func encode(_ shard: borrowing Shard, into bytes: inout FrameBytes) {
        Self.magic.withUTF8Buffer { bytes.append(UnsafeRawBufferPointer($0)) }
        bytes.append(Self.version)
        var writer = Writer(bytes: FrameBytes(capacity: 1 << 16))
        swap(&writer.bytes, &bytes)
        shard.forEachItem { writer.write($0) }
        swap(&writer.bytes, &bytes)
        bytes.append(Self.end)
        bytes.append(writer.count)
    }

    /// Calls `body` with each item. Refuses bytes that are not a snapshot, or one of a newer version.
    public static func forEachItem(
        in bytes: UnsafeRawBufferPointer,
        _ body: (SnapshotItem) throws(WireError) -> Void
    ) throws(WireError) {
        var reader = FrameReader(bytes)
        let magic = try reader.readBytes(Self.magic.utf8CodeUnitCount)
        guard magic.elementsEqual(UnsafeBufferPointer(start: Self.magic.utf8Start, count: magic.count)) else {
            throw WireError("the bytes are not a snapshot of a shard")
        }
        let version = try reader.readUInt16()
        guard version == Self.version else {
            throw WireError("the snapshot has version \(version), and this program reads version \(Self.version)")
        }
        var count: UInt64 = 0
        while true {
            let number = try reader.readUInt8()
            guard number != Self.end else { break }
            try body(try SnapshotItem(kind: number, from: &reader))
            count += 1
        }
        guard try reader.readUInt64() == count else { throw WireError("items of the snapshot are missing") }
        try reader.end()
    }

    /// Restores a whole snapshot. Catalogue and slots must have room for everything in it, else the reason names what
    /// is missing.
    public static func restore(
        _ bytes: UnsafeRawBufferPointer,
        into restoration: ShardRestoration
    ) throws(WireError) {
        try Self.forEachItem(in: bytes) { item throws(WireError) in
            do throws(SnapshotError) { try restoration.restore(item) } catch { throw WireError(error.reason) }
        }
    }

    private struct Writer: ~Copyable {
        var bytes: FrameBytes
        var count: UInt64 = 0

        mutating func write(_ item: SnapshotItem) {
            item.encode(into: &self.bytes)
            self.count += 1
        }
    }
}
