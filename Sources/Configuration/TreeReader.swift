import Wire

/// Takes values out of a `JSONTree`, and notes what is missing, wrong or unknown, each under its path
/// (`concerts[3].schedules.count`).
struct TreeReader {
    /// In the order of reading.
    private(set) var mistakes: [ConfigurationMistake] = []

    mutating func refuse(_ place: String, _ problem: String, _ remedy: String) {
        self.mistakes.append(ConfigurationMistake(place: place, problem: problem, remedy: remedy))
    }

    /// The members of an object. Members that are not in `names` are mistakes.
    mutating func object(_ value: JSONTree, at path: String, names: [String]) -> [String: JSONTree]? {
        let list = names.joined(separator: ", ")
        guard case .object(let members) = value else {
            self.refuse(path, "is \(value.summary)", "it must be an object with \(list)")
            return nil
        }
        for name in members.keys.sorted() where !names.contains(name) {
            let hint = NearestName.hint(name, among: names)
            self.refuse(Self.join(path, name), "is not known here\(hint)", "the names here are \(list)")
        }
        return members
    }

    /// A required list of at least one element. Empty after a mistake.
    mutating func list(_ members: [String: JSONTree], _ name: String, at path: String) -> [JSONTree] {
        switch members[name] {
        case .some(.list(let elements)):
            if elements.isEmpty { self.refuse(Self.join(path, name), "is empty", "it must have at least one element") }
            return elements
        case let other:
            self.refuse(Self.join(path, name), other.map { "is \($0.summary)" } ?? "is missing", "it must be a list")
            return []
        }
    }

    /// A required whole number.
    mutating func whole(
        _ members: [String: JSONTree],
        _ name: String,
        at path: String,
        _ range: ClosedRange<Int>
    ) -> Int? {
        let remedy = "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        switch members[name] {
        case .some(.whole(let number)) where range.contains(number): return number
        case .some(.whole(let number)):
            self.refuse(Self.join(path, name), "is \(number), which is out of range", remedy)
        case .some(let other):
            self.refuse(Self.join(path, name), "is \(other.summary), which is not a whole number", remedy)
        case nil: self.refuse(Self.join(path, name), "is missing", remedy)
        }
        return nil
    }

    /// A required text of at least one character.
    mutating func text(_ members: [String: JSONTree], _ name: String, at path: String, lengthMax: Int) -> String? {
        let remedy = "it must be a text of 1 to \(lengthMax) characters"
        switch members[name] {
        case .some(.text(let text)):
            if (1...lengthMax).contains(text.count) { return text }
            let problem = text.isEmpty ? "is empty" : "has \(text.count) characters"
            self.refuse(Self.join(path, name), problem, remedy)
        case .some(let other): self.refuse(Self.join(path, name), "is \(other.summary), which is not a text", remedy)
        case nil: self.refuse(Self.join(path, name), "is missing", remedy)
        }
        return nil
    }

    private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
