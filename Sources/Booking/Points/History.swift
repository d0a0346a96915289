/// The lines of one user's points, and how many of each type come before each 64th of them: so a page is found without reading
/// what lies before it, which a user of a million lines would make others wait for.
struct History {
    /// Oldest first.
    private(set) var lines: [HistoryEntry] = []
    /// The charges among the lines before the second block, the third, and so on. Most users have no second block.
    private var chargesBefore: [UInt32] = []

    private static let blockSize = 64

    /// Amortised O(1).
    mutating func append(_ entry: HistoryEntry) {
        if !self.lines.isEmpty, self.lines.count.isMultiple(of: Self.blockSize) {
            let charges = self.lines.suffix(Self.blockSize).count { $0.type == .charge }
            self.chargesBefore.append((self.chargesBefore.last ?? 0) + UInt32(charges))
        }
        self.lines.append(entry)
    }

    /// Newest first.
    func page(_ query: HistoryQuery) -> [HistoryEntry] {
        let size = Int(min(query.size, HistoryQuery.sizeMax))
        let skipped = Int(query.page) * size
        guard let type = query.only else { return Array(self.lines.reversed().dropFirst(skipped).prefix(size)) }
        let last = self.count(of: type) - skipped
        guard last > 0 else { return [] }
        return (max(0, last - size)..<last).reversed().map { self.line($0, of: type) }
    }

    private func count(of type: TransactionType) -> Int {
        let block = self.chargesBefore.count
        return self.count(of: type, before: block) + self.lines[(block * Self.blockSize)...].count { $0.type == type }
    }

    /// How many lines of a type there are before a block.
    private func count(of type: TransactionType, before block: Int) -> Int {
        let charges = block == 0 ? 0 : Int(self.chargesBefore[block - 1])
        return switch type {
        case .charge: charges
        case .use: block * Self.blockSize - charges
        }
    }

    /// The line of a type before which there are so many others of it, and there is one.
    private func line(_ number: Int, of type: TransactionType) -> HistoryEntry {
        // The last block before which there are no more than those.
        var low = 0
        var high = self.chargesBefore.count
        while low < high {
            let middle = (low + high + 1) / 2
            if self.count(of: type, before: middle) <= number { low = middle } else { high = middle - 1 }
        }
        var rest = number - self.count(of: type, before: low)
        for line in self.lines[(low * Self.blockSize)...] where line.type == type {
            guard rest > 0 else { return line }
            rest -= 1
        }
        preconditionFailure("a history has fewer than \(number + 1) lines of a type")
    }

    /// O(lines).
    func checkInvariants() {
        precondition(
            self.chargesBefore.count == max(0, self.lines.count - 1) / Self.blockSize,
            "a history of \(self.lines.count) lines has \(self.chargesBefore.count) counts"
        )
        var charges = 0
        for (number, line) in self.lines.enumerated() {
            if number.isMultiple(of: Self.blockSize) {
                let counted = self.count(of: .charge, before: number / Self.blockSize)
                precondition(counted == charges, "the charges of a history are miscounted")
            }
            if line.type == .charge { charges += 1 }
        }
    }
}
