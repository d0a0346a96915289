/// Finds what someone meant to write.
enum NearestName {
    /// The candidate that is the fewest keystrokes away from `name`, or nil when none is near: at most a third of its
    /// letters, and at least two, may differ. Failing that, the only one that begins like it: a forgotten unit. Letter
    /// case does not count. O(candidates × length²).
    static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased())
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let letters = Array(candidate.lowercased())
            let distance = Self.distance(wanted, letters)
            guard distance <= max(2, letters.count / 3), distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        if let best { return best.name }
        let longer = candidates.filter { $0.lowercased().hasPrefix(name.lowercased()) }
        return name.count >= 4 && longer.count == 1 ? longer[0] : nil
    }

    /// `; did you mean 'x'?`, or nothing.
    static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        Self.of(name, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Letters to add, drop or change (Levenshtein).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(changed, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
