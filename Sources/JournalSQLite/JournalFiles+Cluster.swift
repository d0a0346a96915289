import Glibc
public import Journal

/// Checks the journals of a state folder against each other: either all exist, or one is missing.
///
/// A shard without a journal begins an empty one, which is right only at a cluster's first start. Later it would sell
/// everything again. So it is refused when another shard's journal has facts, or when the folder says that all shards
/// have begun (`STATE/journal/begun`, written when the cluster was first up).
extension JournalFiles {
    private static let nameStart = "shard-"
    private static let nameEnd = ".sqlite"

    /// The shards that have a journal in a state folder, in order.
    public static func shards(in state: String) -> [Int] {
        guard let folder = opendir("\(state)/journal") else { return [] }
        defer { closedir(folder) }
        var shards: [Int] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(self.nameStart), name.hasSuffix(self.nameEnd) else { continue }
            if let shard = Int(name.dropFirst(self.nameStart.count).dropLast(self.nameEnd.count)) {
                shards.append(shard)
            }
        }
        return shards.sorted()
    }

    /// The first journal of a state folder whose origin can be read; nil without any.
    public static func anyOrigin(in state: String) -> JournalOrigin? {
        for shard in self.shards(in: state) {
            if let archive = try? SQLiteArchive(JournalFiles(state: state, shard: shard)) { return archive.origin }
        }
        return nil
    }

    /// Records in the folder that every shard of its cluster has a journal now.
    public static func markAllBegun(in state: String) throws(JournalError) {
        let path = Self.begunMark(in: state)
        guard !self.isThere(path) else { return }
        close(try PlainFile.open(path, O_RDWR | O_CREAT))
        try PlainFile.syncDirectory(of: path)
    }

    static func begunMark(in state: String) -> String { "\(state)/journal/begun" }

    /// Refuses if this shard's journal is missing and it had one.
    func refuseLoss(of origin: JournalOrigin) throws(JournalError) {
        for shard in Self.shards(in: self.state) where shard != self.shard {
            // A journal that is just being made, or is damaged, does not count here: its own shard reports it.
            guard let archive = try? SQLiteArchive(JournalFiles(state: self.state, shard: shard)) else { continue }
            try archive.refuse(
                unless: JournalOrigin(
                    shard: shard,
                    shardCount: origin.shardCount,
                    slotMapVersion: origin.slotMapVersion
                )
            )
            guard let last = try? archive.figures().lastSequence, last > 0 else { continue }
            throw self.missing("\(archive.files.database) has facts")
        }
        guard Self.isThere(Self.begunMark(in: self.state)) else { return }
        throw self.missing("all shards of this folder had one")
    }

    /// A snapshot, a head or an archive without its journal: the file was moved or removed, and an empty one in its
    /// place would sell everything again.
    func refuseRemains() throws(JournalError) {
        for remains in [self.snapshot, self.head, self.archive] where Self.isThere(remains) {
            throw self.missing("\(remains) is")
        }
    }

    /// Makes an empty journal in place of a lost one, with a snapshot of the state that it begins with. Refused while
    /// there is a journal, or a part of one.
    public func makeAnew(
        _ origin: JournalOrigin,
        beginningWith snapshot: JournalSnapshot
    ) throws(JournalError) {
        precondition(snapshot.sequence == 0, "a new journal begins before its first fact")
        try self.prepareDirectory()
        let lock = try OwnerLock(self.lock, of: self.database)
        try JournalSchema.createIfMissing(self, origin) { () throws(JournalError) in try self.refuseRemains() }
        let archive = try SQLiteArchive(self, origin: origin)
        // No owner has begun it: it was made a moment ago, or by an interrupted call like this one.
        guard archive.epoch == 0 else {
            throw .foreign(file: self.database, reason: "is there: only a journal that is lost is begun anew")
        }
        try archive.write(snapshot)
        withExtendedLifetime(lock) {}
    }
}
