import Booking
public import Configuration
import Journal
import JournalSQLite
import Wire

/// `usher journal audit`: the line of one concert, listed and checked from the journal alone: by the organiser from the
/// journal itself, or by anyone from an export.
public struct LineAuditor {
    public enum Form: Sendable {
        /// A line for each event, then the result.
        case text
        /// The same as JSON.
        case json
        /// The result only.
        case summary
    }

    /// The result of an audit that found nothing wrong. The numbers are the program's exit statuses; 1 is a broken
    /// order, or anything that kept the audit from its end.
    public enum Verdict: Int32, Sendable {
        /// Checked from the first place of the line to the last fact.
        case kept = 0
        /// Checked from the first fact that is kept; what was before is unknown.
        case keptInPart = 3
        /// No fact is about this concert: nobody joined, or there is no such concert.
        case nothing = 4
    }

    private let concert: ConcertID
    private let form: Form
    /// A hash that was published earlier, which must occur in the chain.
    private let published: ChainHash?
    private var publishedSequence: UInt64?
    private var origin = ""
    private var start: ChainPoint?
    private var end: ChainPoint?
    private var audit: LineAudit
    private let write: (String) -> Void

    private init(_ concert: ConcertID, _ form: Form, _ published: ChainHash?, _ write: @escaping (String) -> Void) {
        self.concert = concert
        self.form = form
        self.published = published
        self.audit = LineAudit(concert, firstSequence: 1)
        self.write = write
    }

    /// Audits the journal and its archive; their shard may write to them meanwhile. `write` is called with lines.
    @discardableResult
    public static func run(
        _ state: StateDirectory,
        concert: UInt64,
        form: Form,
        published: String?,
        write: @escaping (String) -> Void
    ) throws(StartError) -> Verdict {
        let id = try Self.concert(concert)
        var auditor = LineAuditor(id, form, try Self.hash(published), write)
        let shards = try JournalCommand.shards(in: state, only: nil)
        try JournalCommand.orStartError { () throws(JournalError) in
            let any = JournalFiles(state: state.path, shard: shards[0])
            let origin =
                if let origin = JournalFiles.anyOrigin(in: state.path) { origin } else { try SQLiteArchive(any).origin }
            let slots = SlotMap(shardCount: origin.shardCount, version: origin.slotMapVersion)
            let shard = slots.shard(of: Slot(of: id))
            let journal = try SQLiteArchive(JournalFiles(state: state.path, shard: shard))
            let end = try journal.forEachKeptRecord({ auditor.begin("\(journal.origin)", $0) }) {
                record throws(JournalError) in try auditor.apply(record)
            }
            auditor.end = end
        }
        return try auditor.finish()
    }

    /// Audits an export alone; `-` reads the standard input.
    @discardableResult
    public static func run(
        export path: String,
        concert: UInt64,
        form: Form,
        published: String?,
        write: @escaping (String) -> Void
    ) throws(StartError) -> Verdict {
        var auditor = LineAuditor(try Self.concert(concert), form, try Self.hash(published), write)
        let export = try ExportedJournal(path)
        auditor.end = try export.forEachRecord({ origin, start throws(StartError) in
            try auditor.checkIsHome(origin)
            auditor.begin(origin, start)
        }) { record throws(StartError) in
            try JournalCommand.orStartError { () throws(JournalError) in try auditor.apply(record) }
        }
        return try auditor.finish()
    }

    /// An export of another shard has no facts about this concert, which must not look like an empty line.
    private func checkIsHome(_ origin: String) throws(StartError) {
        let words = origin.split { $0 == " " || $0 == "," }
        guard words.count >= 4, let shard = Int(words[1]), let count = Int(words[3]), (1...Slot.count).contains(count)
        else { return }
        let home = SlotMap(shardCount: count).shard(of: Slot(of: self.concert))
        guard home != shard else { return }
        throw StartError(
            "concert \(self.concert) is in the journal of shard \(home), and this export is of shard \(shard)",
            remedy: "export the other one: usher journal export --shard \(home)"
        )
    }

    private static func concert(_ number: UInt64) throws(StartError) -> ConcertID {
        guard let id = ConcertID(checking: Int64(clamping: number)) else {
            throw StartError("there is no concert \(number)", remedy: "name the concert's id, as in the catalogue")
        }
        return id
    }

    private static func hash(_ text: String?) throws(StartError) -> ChainHash? {
        guard let text else { return nil }
        guard let hash = ChainHash(hexadecimal: text) else {
            throw StartError("'\(text)' is no hash", remedy: "give the 64 hexadecimal digits that were published")
        }
        return hash
    }

    // MARK: Reading

    private mutating func begin(_ origin: String, _ start: ChainPoint) {
        self.origin = origin
        self.start = start
        self.audit = LineAudit(self.concert, firstSequence: start.sequence + 1)
        if start.hash == self.published { self.publishedSequence = start.sequence }
    }

    private mutating func apply(_ record: JournalRecord) throws(JournalError) {
        try JournalVerifier.forEachFact(of: record.batch) { sequence, fact in
            guard let event = self.audit.apply(fact, sequence: sequence), self.form != .summary else { return }
            self.write(self.form == .json ? event.json(self.concert) : event.text)
        }
        if record.hash == self.published { self.publishedSequence = record.batch.nextSequence - 1 }
    }

    private var verdict: Verdict { self.audit.isEmpty ? .nothing : self.audit.isPartial ? .keptInPart : .kept }

    /// Reports the result; throws when the order was broken, or the published hash is not in the chain.
    private func finish() throws(StartError) -> Verdict {
        guard let start = self.start, let end = self.end else { preconditionFailure("an audit without a journal") }
        self.write(self.form == .json ? self.json(start, end) : self.text(start, end))
        if let first = self.audit.violations.first {
            throw StartError(
                "the line of concert \(self.concert) was not kept in order: fact \(first.sequence): \(first.reason)",
                remedy: "the \(self.audit.violationCount) violations are listed above"
            )
        }
        guard self.published != nil, self.publishedSequence == nil else { return self.verdict }
        throw StartError(
            "the published hash is not this history's at any fact from \(start.sequence) to \(end.sequence)",
            remedy:
                "compare journals and exports: this is another history, or it was published about facts not kept here"
        )
    }

    // MARK: Results

    private func text(_ start: ChainPoint, _ end: ChainPoint) -> String {
        let audit = self.audit
        var lines = [
            "concert    \(self.concert), in the journal of \(self.origin)",
            start.sequence == end.sequence
                ? "facts      none"
                : "facts      \(start.sequence + 1) to \(end.sequence), every link of the chain checked",
        ]
        if start.sequence > 0 {
            lines.append("unknown    what happened before fact \(start.sequence + 1), which is not kept")
        }
        var joined = "joined     \(audit.joined)"
        if let first = audit.firstPlace, let last = audit.newestPlace { joined += ", places \(first) to \(last)" }
        var admitted = "admitted   \(audit.admitted)"
        if audit.admittedUnknown > 0 { admitted += ", \(audit.admittedUnknown) of them joined before what is known" }
        lines += [joined, admitted, "gone       \(audit.gone) left or lapsed while they waited"]
        lines.append("waiting    \(audit.waiting)")
        for violation in audit.violations { lines.append("BROKEN     fact \(violation.sequence): \(violation.reason)") }
        lines.append(
            "order      " + (audit.violationCount > 0 ? "BROKEN \(audit.violationCount) times" : self.order(start))
        )
        if let sequence = self.publishedSequence {
            lines.append("published  the given hash is that after fact \(sequence)")
        }
        lines.append("hash       \(end.hash) after fact \(end.sequence)")
        return lines.joined(separator: "\n")
    }

    /// For a line without violations.
    private func order(_ start: ChainPoint) -> String {
        let order = "places were given in order, and nobody was let in past a waiting person"
        return switch self.verdict {
        case .kept: "kept: \(order)"
        case .keptInPart: "kept from fact \(start.sequence + 1) on, and unknown before: \(order)"
        case .nothing: "nothing to check: no fact is about concert \(self.concert), if there is such a concert"
        }
    }

    private func json(_ start: ChainPoint, _ end: ChainPoint) -> String {
        var json = OutputBytes()
        json.openObject()
        json.member("audit", self.concert.rawValue)
        json.member("journal", self.origin)
        json.member("firstFact", start.sequence + 1)
        json.member("lastFact", end.sequence)
        json.member("isComplete", !self.audit.isPartial)
        json.member("joined", self.audit.joined)
        json.member("admitted", self.audit.admitted)
        json.member("admittedUnknown", self.audit.admittedUnknown)
        json.member("gone", self.audit.gone)
        json.member("waiting", self.audit.waiting)
        json.member("orderIsKept", self.audit.violationCount == 0)
        json.member("verdict", self.audit.violationCount > 0 ? "broken" : "\(self.verdict)")
        json.member("violationCount", self.audit.violationCount)
        json.member("violations")
        json.openArray()
        for violation in self.audit.violations {
            json.element()
            json.openObject()
            json.member("fact", violation.sequence)
            json.member("reason", violation.reason)
            json.closeObject()
        }
        json.closeArray()
        if let sequence = self.publishedSequence { json.member("publishedAtFact", sequence) }
        json.member("hash", "\(end.hash)")
        json.closeObject()
        return json.view.text
    }
}

extension LineAudit.Event {
    fileprivate var text: String {
        var text = "\(self.at.words)  fact \(self.sequence)  place \(self.place)  \(self.kind.rawValue)"
        if let user = self.user { text += "  user \(user)" }
        if let waited = self.waited { text += "  after \(waited.rawValue / 1_000_000) ms" }
        return text
    }

    fileprivate func json(_ concert: ConcertID) -> String {
        var json = OutputBytes()
        json.openObject()
        json.member("fact", self.sequence)
        json.member("at", self.at.words)
        json.member("what", self.kind.rawValue)
        json.member("concert", concert.rawValue)
        json.member("place", self.place.rawValue)
        if let user = self.user { json.member("user", user.rawValue) }
        if let waited = self.waited { json.member("waitedNanoseconds", waited.rawValue) }
        json.closeObject()
        return json.view.text
    }
}
