public import Statistics

/// The statistics of a cluster as a table for people: `usher stats` and `usher top`.
public enum StatsTable {
    public static func text(_ stats: ClusterStats) -> String {
        var parts = [self.shards(stats), self.gateways(stats)]
        if !stats.missing.isEmpty { parts.append(stats.missing.joined(separator: "\n")) }
        if !stats.troubles.isEmpty { parts.append(stats.troubles.joined(separator: "\n")) }
        let discrepancies = stats.discrepancies
        if !discrepancies.isEmpty { parts.append("does not add up:\n" + discrepancies.joined(separator: "\n")) }
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private static func shards(_ stats: ClusterStats) -> String {
        guard !stats.shards.isEmpty else { return "" }
        var rows = [
            [
                "SHARD", "SLOTS", "CONCERTS", "WAITING", "ADMITTED", "GONE", "HELD", "SOLD", "FREE", "REQUESTS",
                "P50 µs",
                "P99 µs", "JOURNAL", "MEMORY", "CPU s",
            ]
        ]
        for shard in stats.shards {
            let slots = "\(shard.slots.first)-\(shard.slots.last)"
            rows.append(self.row(name: "\(shard.shard)", slots: slots, [shard]))
        }
        rows.append(self.row(name: "all", slots: "", stats.shards))
        return self.align(rows)
    }

    private static func row(name: String, slots: String, _ shards: [ShardStats]) -> [String] {
        let concerts = shards.flatMap(\.concertsAndOthers)
        func sum(_ value: (ShardStats.Concert) -> UInt64) -> String { String(concerts.reduce(0) { $0 + value($1) }) }
        let requests = shards.flatMap(\.requests).total
        return [
            name, slots, String(shards.reduce(0) { $0 + $1.concertCount }), sum(\.waiting), sum(\.admitted),
            sum(\.gone.total), sum(\.held),
            sum(\.sold), sum(\.free), String(requests.count), String(requests.p50Microseconds),
            String(requests.p99Microseconds), String(shards.reduce(0) { $0 + $1.journal.sequence }),
        ] + self.process(shards.map(\.process))
    }

    private static func gateways(_ stats: ClusterStats) -> String {
        guard !stats.gateways.isEmpty else { return "" }
        var rows = [
            [
                "GATEWAY", "PORT", "OPEN", "REQUESTS", "2xx", "4xx", "5xx", "IN FLIGHT", "P50 µs", "P99 µs", "MEMORY",
                "CPU s",
            ]
        ]
        for gateway in stats.gateways {
            rows.append(self.row(name: "\(gateway.gateway)", port: "\(gateway.port)", [gateway]))
        }
        rows.append(self.row(name: "all", port: "", stats.gateways))
        return self.align(rows)
    }

    private static func row(name: String, port: String, _ gateways: [GatewayStats]) -> [String] {
        func sum(_ value: (GatewayStats) -> UInt64) -> String { String(gateways.reduce(0) { $0 + value($1) }) }
        let requests = gateways.flatMap(\.requests).total
        return [
            name, port, sum(\.connections.open), sum(\.answers.total), sum(\.answers.success),
            sum(\.answers.clientError), sum(\.answers.serverError), sum(\.inFlight), String(requests.p50Microseconds),
            String(requests.p99Microseconds),
        ] + self.process(gateways.map(\.process))
    }

    private static func process(_ processes: [ProcessStats]) -> [String] {
        let bytes = processes.reduce(0) { $0 + $1.residentBytes }
        let seconds = processes.reduce(0) { $0 + $1.cpuUserSeconds + $1.cpuSystemSeconds }
        return ["\(bytes >> 20) MiB", self.oneDigit(seconds)]
    }

    private static func oneDigit(_ number: Double) -> String {
        let tenths = Int64((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Columns as wide as their widest cell; the first to the left, numbers to the right.
    private static func align(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.reduce(0) { max($0, $1[column].count) } }
        return rows.map { row in
            zip(row, widths).enumerated().map { (column, cell) in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
