/// Settings and mistakes for people: `usher config check`, and the table for the README.
public enum ConfigurationReport {
    /// Every setting with its value, source and meaning; then every mistake. Ends with a verdict.
    public static func check(
        _ loaded: LoadedConfiguration,
        catalogueMistakes: [ConfigurationMistake] = [],
        catalogueNote: String? = nil
    ) -> String {
        var lines: [String] = []
        var group = ""
        for setting in Settings.all {
            let name = setting.components
            if name[0] != group {
                if !group.isEmpty { lines.append("") }
                group = name[0]
            }
            let value = setting.text(in: loaded.configuration)
            let unit = setting.unit.map { " \($0)" } ?? ""
            let origin = Self.text(loaded.origins[setting.name] ?? .standard)
            lines.append("\(setting.name) = \(value.isEmpty ? "(none)" : value)\(unit)   [\(origin)]")
            lines.append("    \(setting.explanation)")
        }
        lines.append("")
        for note in loaded.notes + [catalogueNote].compactMap(\.self) { lines.append("note: \(note)") }
        let mistakes = loaded.mistakes + catalogueMistakes
        lines.append(mistakes.isEmpty ? "The settings are right." : Self.text(mistakes))
        return lines.joined(separator: "\n")
    }

    /// All mistakes, one a line, under their count.
    public static func text(_ mistakes: [ConfigurationMistake]) -> String {
        let title = mistakes.count == 1 ? "1 mistake:" : "\(mistakes.count) mistakes:"
        return ([title] + mistakes.map { "  \($0)" }).joined(separator: "\n")
    }

    /// The settings table in Markdown. A sign marks the settings that a running cluster reloads.
    public static func reference() -> String {
        var lines = [
            "| setting | default | allowed | what it does |",
            "|---|---|---|---|",
        ]
        for setting in Settings.all {
            let standard = setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`"
            let sign = setting.isLive ? " ↻" : ""
            lines.append("| `\(setting.name)`\(sign) | \(standard) | \(setting.allowed) | \(setting.explanation) |")
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ origin: LoadedConfiguration.Origin) -> String {
        switch origin {
        case .standard: "default"
        case .file(let path): "file \(path)"
        case .environment(let variable): "environment \(variable)"
        case .flag: "flag"
        }
    }
}
