import Booking
import FoundationEssentials
import Wire

/// Resolves all settings from their sources, and finds every mistake in them.
///
///     flags  ▶  environment (USHER_GATEWAY_PORT)  ▶  file (--config or USHER_CONFIG)  ▶  defaults
///
/// The settings table says what is allowed. Reading goes on past a mistake, so that one run names all of them.
public struct LoadedConfiguration: Sendable {
    /// Where the value of a setting came from.
    public enum Origin: Equatable, Sendable {
        case standard
        case file(String)
        case environment(variable: String)
        case flag
    }

    /// The resolved settings. Where a value was refused, the next source's stands here.
    public internal(set) var configuration = ServerConfiguration()
    /// By the setting's name; a setting that is missing has its default.
    public internal(set) var origins: [String: Origin] = [:]
    /// The settings file, when there is one.
    public internal(set) var file: String?
    /// What forbids a start. Empty when all is well.
    public internal(set) var mistakes: [ConfigurationMistake] = []
    /// What someone may want to know, and is no mistake.
    public internal(set) var notes: [String] = []

    /// Loads from `flags` (setting name to text; a later one wins), the environment and a file.
    ///
    /// `file` comes from `--config`; without it, `USHER_CONFIG` names the file, and without that there is none.
    public init(flags: [(name: String, text: String)] = [], environment: [String: String], file: String? = nil) {
        self.file = file ?? environment[Self.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        let file = self.readFile()
        var flagTexts: [String: String] = [:]
        for (name, text) in flags {
            guard Settings[name] != nil else {
                self.mistakes.append(.unknownName(name, place: "flag", removal: "leave it out"))
                continue
            }
            flagTexts[name] = text
        }
        // From the weakest to the strongest: what a stronger source has replaces what a weaker one had.
        for setting in Settings.all {
            let variable = setting.variable
            if let value = file.values[setting.name] {
                self.store(.json(value), in: setting, from: .file(file.path), place: file.path)
            }
            if let text = environment[variable] {
                self.store(.text(text), in: setting, from: .environment(variable: variable), place: variable)
            }
            if let text = flagTexts[setting.name] { self.store(.text(text), in: setting, from: .flag, place: "flag") }
        }
        self.refuseRemovedVariables(environment)
        self.checkTogether()
        self.noteBoundsOfUsers()
        self.noteUnknownVariables(environment)
    }

    private static let fileVariable = "USHER_CONFIG"

    /// Variables of other origin that begin like ours: Kubernetes sets these for a service that is called usher.
    private static let foreignVariables = ["USHER_SERVICE_", "USHER_PORT"]

    private mutating func readFile() -> SettingsFile {
        guard let path = self.file else { return SettingsFile() }
        do throws(ConfigurationMistake) {
            let (file, mistakes) = try SettingsFile.read(path)
            self.mistakes += mistakes
            return file
        } catch {
            self.mistakes.append(error)
            return SettingsFile()
        }
    }

    private mutating func store(_ raw: Setting.Raw, in setting: Setting, from origin: Origin, place: String) {
        do throws(Setting.Refusal) {
            try setting.store(raw, in: &self.configuration)
            self.origins[setting.name] = origin
        } catch {
            self.mistakes.append(
                ConfigurationMistake(
                    place: place,
                    problem: "\(setting.name) \(error.problem)",
                    remedy: "it must be \(setting.allowed)"
                )
            )
        }
    }

    /// What no single setting can tell.
    private mutating func checkTogether() {
        let (gateway, operatorPort) = (self.configuration.gateway, self.configuration.operator)
        if gateway.port != 0, gateway.port == operatorPort.port {
            self.mistakes.append(
                ConfigurationMistake(
                    place: "gateway.port and operator.port",
                    problem: "both are \(gateway.port)",
                    remedy: "give one of them another port: clients must never reach the operator's"
                )
            )
        }
        let http = HTTPLimits()
        let requestBytesMax = http.targetBytesMax + http.headerBytesMax + gateway.bodyBytesMax
        // A buffer that grows is up to twice as large as what is in it.
        if self.configuration.unfinishedBytesMax < 2 * requestBytesMax {
            self.mistakes.append(
                ConfigurationMistake(
                    place: "gateway.unsentBytesMax",
                    problem:
                        "a request of \(requestBytesMax) bytes, which gateway.bodyBytesMax allows, does not fit into the "
                        + "quarter that unfinished requests have",
                    remedy: "it must be at least \(8 * requestBytesMax)"
                )
            )
        }
        let sentAgainMax = gateway.inFlightPerShardMax * self.configuration.cluster.gateways
        if self.configuration.answerLimits.resendCountMax < sentAgainMax {
            self.mistakes.append(
                ConfigurationMistake(
                    place: "shard.keptAnswersMax",
                    problem: "the gateways may send \(sentAgainMax) requests again, and a quarter of "
                        + "\(self.configuration.shard.keptAnswersMax) answers is kept for them",
                    remedy: "it must be at least 4 times gateway.inFlightPerShardMax times cluster.gateways"
                )
            )
        }
        if self.configuration.identity.mode == "jwt", self.configuration.identity.keyFile.isEmpty {
            self.mistakes.append(
                ConfigurationMistake(
                    place: "identity.keyFile",
                    problem: "identity.mode is jwt, and no file of keys is named",
                    remedy: "name one, or set identity.mode to off"
                )
            )
        }
        if let mistake = self.configuration.stateDirectory.socketPathMistake(self.configuration.cluster) {
            self.mistakes.append(mistake)
        }
    }

    /// Upper bounds never contradict each other, as the lowest one holds. But an operator who allows reservations of ten seats
    /// should know that no user can make one.
    private mutating func noteBoundsOfUsers() {
        let booking = self.configuration.booking
        let inAll = booking.seatsPerUserMax == 0 ? Int.max : booking.seatsPerUserMax
        let (most, name) =
            booking.heldSeatsPerUserMax <= inAll
            ? (booking.heldSeatsPerUserMax, "booking.heldSeatsPerUserMax")
            : (inAll, "booking.seatsPerUserMax")
        guard most < booking.maxSeatsPerReservation else { return }
        self.notes.append(
            "booking.maxSeatsPerReservation is \(booking.maxSeatsPerReservation), but \(name) limits every reservation to "
                + "\(most) seats"
        )
    }

    private mutating func refuseRemovedVariables(_ environment: [String: String]) {
        for removed in RemovedSetting.all {
            let variable = Settings.variable(removed.name)
            guard environment[variable] != nil else { continue }
            self.mistakes.append(removed.mistake(in: variable, removal: "unset the variable"))
        }
    }

    /// A misspelt variable is silently without effect, so it is pointed out; it is no mistake, because anyone may set
    /// variables for other programs that begin the same.
    private mutating func noteUnknownVariables(_ environment: [String: String]) {
        var known: Set<String> = [Self.fileVariable]
        for setting in Settings.all { known.insert(setting.variable) }
        let removed = Set(RemovedSetting.all.map { Settings.variable($0.name) })
        for name in environment.keys.sorted() where name.hasPrefix("USHER_") && !known.contains(name) {
            guard !removed.contains(name), !Self.foreignVariables.contains(where: { name.hasPrefix($0) }) else {
                continue
            }
            self.notes.append(
                "\(name) is set in the environment, but no setting has that name"
                    + NearestName.hint(name, among: known.sorted())
            )
        }
    }
}

extension Setting {
    public var variable: String { Settings.variable(self.name) }
}

extension Settings {
    /// The environment variable of a setting: `gateway.idleTimeoutSeconds` is `USHER_GATEWAY_IDLE_TIMEOUT_SECONDS`.
    static func variable(_ name: String) -> String {
        var variable = "USHER_"
        var isAfterLowercase = false
        for character in name {
            if isAfterLowercase, character.isUppercase { variable += "_" }
            variable += character == "." ? "_" : character.uppercased()
            isAfterLowercase = character.isLowercase
        }
        return variable
    }
}
