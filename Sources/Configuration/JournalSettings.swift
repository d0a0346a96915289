extension ServerConfiguration {
    public struct CatalogueSource: Equatable, Sendable {
        /// Empty for the catalogue that is built in.
        public var file = ""

        /// Whether it is the copy of a state folder, which then is that of `cluster.state`: the folder may have been moved.
        var isCopy: Bool { self.file.split(separator: "/").last == StateDirectory.catalogueName[...] }
    }

    /// Where facts are kept, and when they count as kept.
    public struct Journal: Equatable, Sendable {
        public var kind = "sqlite"
        public var policy = "commit"
        public var commitIntervalMinMilliseconds = 1
        /// Some 600,000 facts, which take half a second to take in at a start.
        public var compactBytes = 64 << 20
        public var archive = "on"
    }
}

extension Settings {
    static let catalogue: [Setting] = [
        text(
            "catalogue.file",
            \.catalogue.file,
            .file,
            .essential,
            "JSON file of halls, concerts and schedules; empty for the built-in catalogue."
        )
    ]

    static let journal: [Setting] = [
        text(
            "journal.kind",
            \.journal.kind,
            .oneOf(["memory", "sqlite"]),
            .internals,
            "Where facts are kept: in files in cluster.state (sqlite), or nowhere (memory), for tests: a stop forgets everything."
        ),
        text(
            "journal.policy",
            \.journal.policy,
            .oneOf(["commit", "interval", "none"]),
            .internals,
            "Answers leave when their facts are on the disk (commit), or before: facts reach the disk within 100 milliseconds "
                + "(interval) or when the kernel writes them (none). Only commit survives a power failure."
        ),
        whole(
            "journal.commitIntervalMinMilliseconds",
            \.journal.commitIntervalMinMilliseconds,
            0...1_000,
            unit: "milliseconds",
            .internals,
            "With journal.policy commit: minimum time between two commits. Requests of that time share a commit; 0 commits at "
                + "once, for several times the CPU."
        ),
        whole(
            "journal.compactBytes",
            \.journal.compactBytes,
            65_536...(1 << 40),
            unit: "bytes",
            .internals,
            live: true,
            "Length of a shard's journal after its newest snapshot at which it is compacted; one of 64 KiB or more is "
                + "compacted every hour."
        ),
        text(
            "journal.archive",
            \.journal.archive,
            .oneOf(["on", "off"]),
            .optional,
            "Whether facts that a compaction drops are archived, for `usher journal audit` and `export`."
        ),
    ]
}
