import Wire

/// A settings file: groups of settings as a JSON object of objects. Dotted names (`"gateway.port": 80`) are the same.
struct SettingsFile: Sendable {
    var path = ""
    /// By the full name of the setting. Only names that exist.
    var values: [String: JSONTree] = [:]
    /// Whether a cluster has written it, into its state folder: perhaps one of an earlier version.
    private var isOfCluster = false

    /// Reads a file. Names that do not exist and names that stand twice are returned as mistakes, beside what is right.
    static func read(_ path: String) throws(ConfigurationMistake) -> (SettingsFile, [ConfigurationMistake]) {
        let bytes: [UInt8]
        do { bytes = try TextFile.read(path) } catch {
            throw ConfigurationMistake(
                place: path,
                problem: "the settings file \(error.reason)",
                remedy: "name a file that can be read with --config or USHER_CONFIG, or leave both out"
            )
        }
        let (tree, repeated): (JSONTree, [JSONTree.Repeated])
        do { (tree, repeated) = try JSONTree.read(bytes) } catch {
            throw ConfigurationMistake(
                place: path,
                problem: "the settings file is not JSON: \(error)",
                remedy: #"write an object of groups, such as {"gateway": {"port": 8080}}"#
            )
        }
        guard case .object(let members) = tree else {
            throw ConfigurationMistake(
                place: path,
                problem: "the settings file holds \(tree.summary)",
                remedy: #"write an object of groups, such as {"gateway": {"port": 8080}}"#
            )
        }
        var file = SettingsFile(path: path, isOfCluster: StateDirectory.isConfiguration(path))
        var mistakes = repeated.map { $0.mistake(in: path) }
        for name in members.keys.sorted() { file.read(name, members[name]!, &mistakes) }
        return (file, mistakes)
    }

    private mutating func read(_ name: String, _ value: JSONTree, _ mistakes: inout [ConfigurationMistake]) {
        if Settings[name] != nil {
            guard self.values.updateValue(value, forKey: name) == nil else {
                let problem = "\(name) stands twice, once in its group and once with a dot"
                mistakes.append(ConfigurationMistake(place: self.path, problem: problem, remedy: "remove one"))
                return
            }
            return
        }
        let names = Settings.all.map(\.name)
        let isGroup = names.contains { $0.hasPrefix(name + ".") }
        if self.isOfCluster, let removed = RemovedSetting[name], self.replace(removed, value) { return }
        switch value {
        case .object(let members) where !members.isEmpty && (isGroup || !name.contains(".")):
            for member in members.keys.sorted() { self.read("\(name).\(member)", members[member]!, &mistakes) }
        case .object where isGroup: break
        default:
            mistakes.append(
                isGroup
                    ? ConfigurationMistake(
                        place: self.path,
                        problem: "\(name) is \(value.summary), but it is a group of settings",
                        remedy: "write an object, such as {\"\(name)\": {...}}"
                    ) : .unknownName(name, place: self.path, removal: "delete the line")
            )
        }
    }

    /// What an earlier version wrote does not stand in the way of this one, where it means the same: processes are replaced
    /// while a cluster runs, and journals looked after before its next start. A value that would be lost is refused.
    private mutating func replace(_ removed: RemovedSetting, _ value: JSONTree) -> Bool {
        if let successor = removed.renamedTo {
            if self.values[successor] == nil { self.values[successor] = value }
            return true
        }
        return switch value {
        case .whole(let number): removed.was == String(number)
        case .text(let text): removed.was == text
        default: false
        }
    }
}
