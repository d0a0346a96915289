/// What a new reading of the settings means for a process that runs.
public struct Reloaded {
    /// What it runs with from now on: live settings as they were read, all others as they were.
    public private(set) var configuration: ServerConfiguration
    /// Live settings that have changed, as `name=value`.
    public private(set) var changed: [String] = []
    /// Names of settings that were read otherwise than they are, and need a restart.
    public private(set) var waiting: [String] = []
    /// Nil when the catalogue's file says what it said at the start; a running cluster never goes over to another.
    public var catalogue: CatalogueNews?

    public enum CatalogueNews {
        case changed
        /// The next start would refuse it.
        case mistaken([ConfigurationMistake])
    }

    public init(running: ServerConfiguration, read: ServerConfiguration) {
        self.configuration = running
        for setting in Settings.all {
            let value = setting.text(in: read)
            guard value != setting.text(in: running) else { continue }
            guard setting.isLive else {
                self.waiting.append(setting.name)
                continue
            }
            self.changed.append("\(setting.name)=\(value)")
            setting.copy(from: read, to: &self.configuration)
        }
    }

    /// Puts the live settings of this reading into other settings, such as those with real ports for 0.
    public func apply(to other: inout ServerConfiguration) {
        for setting in Settings.all where setting.isLive { setting.copy(from: self.configuration, to: &other) }
    }

    /// In one sentence each, for people.
    public var text: String {
        let changed =
            self.changed.isEmpty
            ? "No setting that can change now has changed." : "Changed: \(self.list(self.changed))."
        var text = self.waiting.isEmpty ? changed : "\(changed) Needs a restart: \(self.list(self.waiting))."
        switch self.catalogue {
        case .changed: text += " The catalogue has changed: it waits for the next start."
        case .mistaken(let mistakes):
            text +=
                " The catalogue of the start goes on; the next start would refuse what is there now. "
                + ConfigurationReport.text(mistakes)
        case nil: break
        }
        return text
    }

    /// The same for a log line.
    public var words: [String: String] {
        var words = ["changed": self.changed.isEmpty ? "nothing" : self.list(self.changed)]
        if !self.waiting.isEmpty { words["needs_restart"] = self.list(self.waiting) }
        switch self.catalogue {
        case .changed: words["catalogue"] = "changed, waits for the next start"
        case .mistaken(let mistakes):
            words["catalogue"] = "the next start would refuse it: \(mistakes.map { "\($0)" }.joined(separator: "; "))"
        case nil: break
        }
        return words
    }

    private func list(_ texts: [String]) -> String { texts.joined(separator: ", ") }
}
