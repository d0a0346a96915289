/// The table of all settings: a row each, beside the stored property that holds its value (`*Settings.swift`).
///
/// Parsing, environment variables, `usher config check`, reloading, the help of the flags and the reference follow from the
/// rows. A setting that is not in the table does not exist.
public enum Settings {
    public static let all: [Setting] =
        Self.cluster + Self.gateway + Self.clients + Self.overload + Self.operatorPort + Self.shard + Self.booking
        + Self.catalogue + Self.journal + Self.log + Self.accessLog + Self.identity

    public static subscript(name: String) -> Setting? { Self.all.first { $0.name == name } }

    /// The explanation of a setting and its default, if it has one, for the help of a flag.
    public static func help(_ name: String) -> String {
        guard let setting = Self[name] else { preconditionFailure("there is no setting \(name)") }
        return setting.explanation + (setting.defaultText.isEmpty ? "" : " (default: \(setting.defaultText))")
    }

    /// The row of a number.
    static func whole(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable,
        _ range: ClosedRange<Int>,
        unit: String? = nil,
        _ importance: Setting.Importance,
        live isLive: Bool = false,
        _ explanation: String
    ) -> Setting {
        Setting(
            name: name,
            unit: unit,
            importance: importance,
            isLive: isLive,
            explanation: explanation,
            kind: .whole(range, path)
        )
    }

    /// The row of a text.
    static func text(
        _ name: String,
        _ path: any WritableKeyPath<ServerConfiguration, String> & Sendable,
        _ rule: Setting.TextRule,
        _ importance: Setting.Importance,
        live isLive: Bool = false,
        _ explanation: String
    ) -> Setting {
        Setting(
            name: name,
            unit: nil,
            importance: importance,
            isLive: isLive,
            explanation: explanation,
            kind: .text(rule, path)
        )
    }
}
