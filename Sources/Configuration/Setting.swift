import Booking
import Reactor
import Wire

/// One row of the settings table: what a setting is called, what it may be, and what it does. Its default is that of its
/// stored property.
public struct Setting: Sendable {
    /// Who will want to set it: the sections of the reference, in their order.
    public enum Importance: CaseIterable, Sendable {
        /// What differs from one installation to the next.
        case essential
        /// Rules of a sale, limits and formats, whose defaults suit most.
        case optional
        /// What tests, benchmarks and rare machines change.
        case internals
    }

    /// What a setting holds, what it may be, and where its value lives in `ServerConfiguration`.
    enum Kind: Sendable {
        case whole(ClosedRange<Int>, any WritableKeyPath<ServerConfiguration, Int> & Sendable)
        case text(TextRule, any WritableKeyPath<ServerConfiguration, String> & Sendable)
    }

    enum TextRule: Sendable {
        /// An IPv4 or IPv6 address. No host names: a listener must not depend on a resolver.
        case address
        case folder
        /// A file, or nothing.
        case file
        case zone
        /// Visible characters of ASCII; `wordOrNone` may be empty.
        case word, wordOrNone
        /// Addresses and networks, or nothing.
        case networks
        /// Web origins, or nothing.
        case origins
        /// Names in `Host`, or nothing.
        case hostNames
        case oneOf([String])

        var mayBeEmpty: Bool { if case .wordOrNone = self { true } else { false } }
    }

    /// Group and name: `gateway.port`. The same in the file, and in `--set`.
    public let name: String
    /// What a number counts; nil where the name says it all.
    public let unit: String?
    public let importance: Importance
    /// Whether a running cluster takes another value over when it reads its settings again (SIGHUP, `usher cluster reload`):
    /// when every process can go over to it between two turns of its loop, on its own, and nothing that was decided before
    /// depends on it.
    public let isLive: Bool
    /// Sentences in Markdown, for the reference, for `usher config check` and for the help of flags.
    public let explanation: String
    let kind: Kind

    /// Why a value is refused: how it reads after the setting's name.
    struct Refusal: Error, Equatable { let problem: String }

    /// Where a value came from decides what forms it may have: in the environment and in flags everything is text.
    enum Raw: Equatable {
        case text(String)
        case json(JSONTree)
    }

    /// The group, and the name in it.
    var components: [String] { self.name.split(separator: ".").map(String.init) }

    public var defaultText: String { self.text(in: ServerConfiguration()) }

    /// A value as a settings file has it.
    enum Value: Encodable {
        case whole(Int)
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .whole(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            }
        }
    }

    func value(in configuration: ServerConfiguration) -> Value {
        switch self.kind {
        case .whole(_, let path): .whole(configuration[keyPath: path])
        case .text(_, let path): .text(configuration[keyPath: path])
        }
    }

    /// The value of this setting, as it would be written in the environment.
    public func text(in configuration: ServerConfiguration) -> String {
        switch self.value(in: configuration) {
        case .whole(let number): String(number)
        case .text(let text): text
        }
    }

    /// Gives `target` the value that `source` has.
    func copy(from source: ServerConfiguration, to target: inout ServerConfiguration) {
        switch self.kind {
        case .whole(_, let path): target[keyPath: path] = source[keyPath: path]
        case .text(_, let path): target[keyPath: path] = source[keyPath: path]
        }
    }

    /// What is allowed, after "must be".
    public var allowed: String {
        switch self.kind {
        case .whole(let range, _):
            "a whole number from \(range.lowerBound) to \(range.upperBound)" + (self.unit.map { " (\($0))" } ?? "")
        case .text(.address, _): "an IPv4 or IPv6 address, such as 127.0.0.1, 0.0.0.0 or ::1"
        case .text(.folder, _): "the path of a folder"
        case .text(.file, _): "the path of a file, or empty"
        case .text(.word, _): "visible characters of ASCII"
        case .text(.wordOrNone, _): "visible characters of ASCII, or empty"
        case .text(.zone, _): "the name of a time zone, such as Asia/Seoul or UTC"
        case .text(.networks, _): "addresses and networks with commas between them, such as 10.0.0.0/8, ::1, or empty"
        case .text(.origins, _):
            "origins with commas between them, such as https://shop.example, http://localhost:3000, or empty"
        case .text(.hostNames, _):
            "names of hosts with commas between them, such as ops.example, without ports, or empty"
        case .text(.oneOf(let choices), _):
            choices.count == 1 ? choices[0] : "one of " + choices.joined(separator: ", ")
        }
    }

    /// Checks a value and puts it where it belongs. Refuses what the table does not allow.
    func store(_ raw: Raw, in configuration: inout ServerConfiguration) throws(Refusal) {
        switch self.kind {
        case .whole(let range, let path):
            let number = try Self.whole(raw)
            guard range.contains(number) else { throw Refusal(problem: "is \(number), which is out of range") }
            configuration[keyPath: path] = number
        case .text(let rule, let path):
            let text = try Self.text(raw)
            try Self.check(text, rule)
            configuration[keyPath: path] = text
        }
    }

    private static func whole(_ raw: Raw) throws(Refusal) -> Int {
        switch raw {
        case .text(let text):
            guard let number = Int(text) else { throw Refusal(problem: "is '\(text)', which is not a whole number") }
            return number
        case .json(.whole(let number)): return number
        case .json(let value): throw Refusal(problem: "is \(value.summary), which is not a whole number")
        }
    }

    private static func text(_ raw: Raw) throws(Refusal) -> String {
        switch raw {
        case .text(let text), .json(.text(let text)): return text
        case .json(let value): throw Refusal(problem: "is \(value.summary), which is not a text in quotes")
        }
    }

    private static func check(_ text: String, _ rule: TextRule) throws(Refusal) {
        guard !text.utf8.contains(0) else { throw Refusal(problem: "contains a NUL character") }
        switch rule {
        case .address:
            guard SocketAddress(text, port: 0) != nil else {
                throw Refusal(problem: "is '\(text)', which is not an address")
            }
        case .folder:
            guard !text.isEmpty else { throw Refusal(problem: "is empty") }
        case .file: break
        case .word, .wordOrNone:
            guard !text.isEmpty || rule.mayBeEmpty else { throw Refusal(problem: "is empty") }
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Refusal(problem: "has a space, or a character that is not ASCII")
            }
        case .zone:
            guard Zone.exists(text) else {
                throw Refusal(problem: "is '\(text)', which is no time zone of this system")
            }
        case .networks:
            do throws(NetworkList.Mistake) { _ = try NetworkList(text) } catch {
                throw Refusal(problem: "has '\(error.part)', which is neither an address nor a network")
            }
        case .origins:
            do throws(OriginList.Mistake) { _ = try OriginList(text) } catch {
                throw Refusal(problem: "has '\(error.part)', \(error.problem)")
            }
        case .hostNames:
            do throws(HostNameList.Mistake) { _ = try HostNameList(text) } catch {
                throw Refusal(problem: "has '\(error.part)', which is no name of a host")
            }
        case .oneOf(let choices):
            guard choices.contains(text) else { throw Refusal(problem: "is '\(text)'") }
        }
    }
}
