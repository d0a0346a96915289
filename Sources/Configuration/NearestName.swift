/// Suggests the name that a user probably meant.
enum NearestName {
    /// The candidate with the fewest changed letters from `name`, or nil when none is near: up to a third of its
    /// letters, and always two, may differ. Failing that, the only candidate that begins with `name`: a forgotten unit.
    /// Ignores case. O(candidates × length²) in the length of the candidates that are about as long as `name`.
    static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let count = candidate.unicodeScalars.count
            let most = max(2, count / 3)
            // The difference in length is a lower bound of the distance.
            guard abs(count - wanted.count) <= most else { continue }
            let distance = Self.distance(wanted, Array(candidate.lowercased().unicodeScalars))
            guard distance <= most, distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        if let best { return best.name }
        guard wanted.count >= 4 else { return nil }
        let longer = candidates.filter { $0.lowercased().unicodeScalars.starts(with: wanted) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// `; did you mean 'x'?`, or nothing.
    static func hint(_ name: String, among candidates: some Sequence<String>) -> String {
        Self.of(name, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Letters to add, drop or change (Levenshtein).
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
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
