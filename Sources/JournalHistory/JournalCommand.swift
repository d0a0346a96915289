import Booking
public import Configuration
import Journal
import JournalSQLite
import Wire

/// `usher journal`: its subcommands, for one shard or for all of a state folder.
public enum JournalCommand {
    /// The shards whose journals belong in a state folder, present or not; only `shard` when that is given.
    public static func shards(in state: StateDirectory, only shard: Int?) throws(StartError) -> [Int] {
        let found = JournalFiles.shards(in: state.path)
        guard !found.isEmpty else {
            throw StartError(
                "there is no journal in \(state.path)",
                remedy: "name the state folder of a cluster that ran with journal.kind=sqlite"
            )
        }
        guard let origin = JournalFiles.anyOrigin(in: state.path) else { return shard.map { [$0] } ?? found }
        if let shard {
            guard (0..<origin.shardCount).contains(shard) else {
                throw StartError(
                    "there is no shard \(shard): the journals in \(state.path) are of \(origin.shardCount) shards",
                    remedy: "name one from 0 to \(origin.shardCount - 1)"
                )
            }
            return [shard]
        }
        return Set(found).union(0..<origin.shardCount).sorted()
    }

    public static func path(_ state: StateDirectory, shard: Int) -> String { Self.files(state, shard).database }

    private static func files(_ state: StateDirectory, _ shard: Int) -> JournalFiles {
        JournalFiles(state: state.path, shard: shard)
    }

    public static func verify(_ state: StateDirectory, shard: Int) throws(StartError) -> String {
        try Self.orStartError { () throws(JournalError) in
            "\(try JournalVerifier(Self.files(state, shard)).verify())\nresult     whole"
        }
    }

    public static func stat(_ state: StateDirectory, shard: Int) throws(StartError) -> String {
        try Self.orStartError { () throws(JournalError) in
            let archive = try SQLiteArchive(Self.files(state, shard))
            let figures = try archive.figures()
            let snapshot = try archive.newestSnapshot()
            return [
                "journal    \(archive.origin), epoch \(archive.epoch)",
                "facts      \(archive.base.sequence + 1) to \(figures.lastSequence), in \(figures.batches) batches",
                "archive    "
                    + (figures.archivedFrom.map { "facts \($0) to \(archive.base.sequence), for audits" }
                        ?? figures.archiveTrouble?.reason ?? "none"),
                "head       " + (figures.headSequence.map { "durable up to fact \($0)" } ?? "missing"),
                "snapshot   " + (snapshot.map { "up to fact \($0.sequence), of \($0.time.words)" } ?? "none"),
                "bytes      \(figures.databaseBytes) in the file, \(figures.logBytes) in the log, "
                    + "\(figures.snapshotBytes) in the snapshot, \(figures.archiveBytes) in the archive",
            ].joined(separator: "\n")
        }
    }

    /// Calls `write` with pieces of text that end at the end of a line.
    public static func export(
        _ state: StateDirectory,
        shard: Int,
        _ write: (String) -> Void
    ) throws(StartError) {
        try Self.orStartError { () throws(JournalError) in
            var text = ""
            // The facts before a damage are whole, and may be all that is left.
            defer { write(text) }
            try JournalVerifier(Self.files(state, shard)).export { line in
                text += line
                text += "\n"
                guard text.utf8.count >= Self.exportBytes else { return }
                write(text)
                text = ""
            }
        }
    }

    /// Bytes that an export gathers before each write.
    private static let exportBytes = 65_536

    /// Begins a shard's journal anew, in place of a lost one: see `JournalBeginning`.
    public static func begin(_ configuration: ServerConfiguration, shard: Int) throws(StartError) -> String {
        let state = configuration.stateDirectory
        let count = JournalFiles.anyOrigin(in: state.path)?.shardCount ?? configuration.cluster.shards
        guard (0..<count).contains(shard) else {
            throw StartError("there is no shard \(shard) of \(count)", remedy: "shards are counted from 0")
        }
        let now = try state.saneTime()
        try Self.orStartError { () throws(JournalError) in
            try JournalBeginning.run(Self.files(state, shard), shardCount: count, at: now)
        }
        return "begun anew and empty: shard \(shard) of \(count) has no places, seats or points"
    }

    public static func compact(_ configuration: ServerConfiguration, shard: Int) throws(StartError) -> String {
        let catalogue: Catalogue
        do throws(ConfigurationMistakes) { catalogue = try CatalogueFile.loadSettled(configuration) } catch {
            throw StartError("the catalogue can't be read: \(error)", remedy: "run usher config check for details")
        }
        return try Self.orStartError { () throws(JournalError) in
            let archive = try SQLiteArchive(Self.files(configuration.stateDirectory, shard))
            try archive.requireOwner()
            let slots = SlotMap(shardCount: archive.origin.shardCount, version: archive.origin.slotMapVersion)
            let report = try Compaction.run(archive, keepsFacts: configuration.journal.archive == "on") {
                Shard(
                    index: shard,
                    slots: slots,
                    catalogue: catalogue,
                    answerLimits: configuration.answerLimits,
                    hashSeed: .random(in: .min ... .max)
                )
            }
            return "\(report)"
        }
    }

    /// Every subcommand has read the journal already, so the remedy suggests no further check.
    static func orStartError<Result>(_ body: () throws(JournalError) -> Result) throws(StartError) -> Result {
        do throws(JournalError) { return try body() } catch {
            guard case .damaged(let damage) = error else { throw JournalKeeper.startError(error) }
            throw StartError(damage.problem, remedy: Self.remedy(for: damage))
        }
    }

    private static func remedy(for damage: JournalDamage) -> String {
        if damage.file.hasSuffix(".archive") {
            return "put that file back from a backup; only audits and exports need it, a cluster starts without it"
        }
        return
            "stop the cluster, keep a copy of the folder as it is, and put all files of this shard back from one backup; "
            + "facts before that are whole, and usher journal export prints them"
    }
}
