/// Settings and mistakes as people read them: `usher config check` and `usher config reference`.
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

    /// The reference of all settings, a page in Markdown.
    public static func reference() -> String {
        var lines = [
            "# Settings",
            "",
            "`usher config reference` prints this page, and `usher config check` the values that a cluster would have and where",
            "each comes from. A setting is written as a flag (`--set gateway.port=80`), as an environment variable",
            "(`USHER_GATEWAY_PORT=80`), or in a file (`--config` or `USHER_CONFIG`): flags win over the environment, and it over",
            "the file.",
            "",
            "```json",
            #"{"gateway": {"port": 80}, "booking": {"admissionsPerSecond": 200}}"#,
            "```",
            "",
            "A running cluster takes over the settings with a ↻ on SIGHUP or `usher cluster reload`. All others need a restart.",
        ]
        for importance in Setting.Importance.allCases {
            lines += ["", "## \(importance.title)", "", importance.introduction, ""]
            lines += ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
            lines += Settings.all.filter { $0.importance == importance }.map { Self.row($0) }
        }
        lines += ["", "## Removed", "", "Settings of earlier versions. Their names are refused.", ""]
        lines += ["| setting | what it is now | why |", "|---|---|---|"]
        lines += RemovedSetting.all.map { "| `\($0.name)` | \($0.now) | \($0.why) |" }
        return lines.joined(separator: "\n")
    }

    /// A setting's row of the reference. A sign marks what a running cluster takes over.
    private static func row(_ setting: Setting) -> String {
        let standard = setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`"
        let sign = setting.isLive ? " ↻" : ""
        return "| `\(setting.name)`\(sign) | \(standard) | \(setting.allowed) | \(setting.explanation) |"
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

extension Setting.Importance {
    fileprivate var title: String {
        switch self {
        case .essential: "You will set these"
        case .optional: "You may set these"
        case .internals: "For the curious"
        }
    }

    fileprivate var introduction: String {
        switch self {
        case .essential: "They differ from one installation to the next."
        case .optional: "Rules of the sale, limits and formats. The defaults suit most installations."
        case .internals: "Tests and benchmarks change these, and rare machines. Measure before and after."
        }
    }
}
