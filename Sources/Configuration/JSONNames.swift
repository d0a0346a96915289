import Foundation

/// Finds repeated names in one object of a JSON document: Foundation's parsers silently take the last one.
///
///     {"gateway": {"port": 1, "port": 2}}          gateway.port, line 1
///
/// For a document that has been parsed already, so its braces, strings and commas are in order. O(bytes).
struct JSONNames {
    /// A name that occurred before in the same object.
    struct Repeated: Equatable {
        /// As `gateway.port`, or `halls[0].name`.
        let path: String
        /// The line of the second one, from 1.
        let line: Int
    }

    private enum Level {
        /// `name` is the member being read.
        case object(seen: Set<String>, name: String?)
        case list(index: Int)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private var levels: [Level] = []
    private var found: [Repeated] = []

    /// In document order.
    static func repeated(in bytes: [UInt8]) -> [Repeated] {
        var names = JSONNames(bytes: bytes)
        names.walk()
        return names.found
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func walk() {
        while self.at < self.bytes.count {
            let byte = self.bytes[self.at]
            switch byte {
            case UInt8(ascii: "{"): self.levels.append(.object(seen: [], name: nil))
            case UInt8(ascii: "["): self.levels.append(.list(index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = self.levels.popLast()
            case UInt8(ascii: ","): self.nextElement()
            case UInt8(ascii: "\n"): self.line += 1
            case UInt8(ascii: "\""):
                let text = self.string()
                self.take(text)
                continue
            default: break
            }
            self.at += 1
        }
    }

    private mutating func nextElement() {
        switch self.levels.popLast() {
        case .object(let seen, _): self.levels.append(.object(seen: seen, name: nil))
        case .list(let index): self.levels.append(.list(index: index + 1))
        case nil: break
        }
    }

    /// The first string after a brace or a comma of an object is a name.
    private mutating func take(_ text: ArraySlice<UInt8>) {
        guard case .object(var seen, nil) = self.levels.last else { return }
        let name = Self.decoded(text)
        let isNew = seen.insert(name).inserted
        self.levels[self.levels.count - 1] = .object(seen: seen, name: name)
        if !isNew { self.found.append(Repeated(path: self.path, line: self.line)) }
    }

    /// With its quotes; leaves the position behind it.
    private mutating func string() -> ArraySlice<UInt8> {
        let start = self.at
        self.at += 1
        while self.at < self.bytes.count, self.bytes[self.at] != UInt8(ascii: "\"") {
            self.at += self.bytes[self.at] == UInt8(ascii: "\\") ? 2 : 1
        }
        self.at = min(self.at + 1, self.bytes.count)
        return self.bytes[start..<self.at]
    }

    /// A name written with escapes equals the same name without.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String {
        (try? JSONDecoder().decode(String.self, from: Data(text))) ?? String(decoding: text, as: UTF8.self)
    }

    private var path: String {
        var path = ""
        for level in self.levels {
            switch level {
            case .object(_, let name?): path += (path.isEmpty ? "" : ".") + name
            case .object(_, nil): break
            case .list(let index): path += "[\(index)]"
            }
        }
        return path
    }
}

extension JSONNames.Repeated {
    func mistake(in file: String) -> ConfigurationMistake {
        ConfigurationMistake(
            place: file,
            problem: "\(self.path) occurs twice, the second time in line \(self.line)",
            remedy: "remove one"
        )
    }
}
