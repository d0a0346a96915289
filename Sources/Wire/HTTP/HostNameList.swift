import Booking

/// Names allowed in `Host` at a port, besides IP addresses and `localhost`.
///
/// Defence against DNS rebinding: an attacker makes a web page's own name resolve to this machine, and browsers then
/// send the page's requests here and treat the answers as the page's own. `Host` still has the page's name. IP
/// addresses are not resolved, so any of them is safe.
public struct HostNameList: Equatable, Sendable {
    /// Why a list is refused: the part that is not a name.
    public struct Mistake: Error, Equatable, Sendable { public let part: String }

    private let names: Set<String>

    /// None.
    public init() { self.names = [] }

    /// Reads names separated by commas or spaces, without ports; an empty text is an empty list.
    public init(_ text: String) throws(Mistake) {
        var names: Set<String> = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let name = part.lowercased()
            guard Self.isName(name[...]) else { throw Mistake(part: String(part)) }
            names.insert(name)
        }
        self.names = names
    }

    /// Letters, digits, hyphens and underscores, with dots between them. In lower case.
    static func isName(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty
                && label.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "_")
                }
        }
    }

    /// Whether `host`, with or without a port, is an IP address, `localhost` or a name of the list; an empty one is
    /// allowed too: HTTP/1.0 may leave it out, browsers never do. Allocates.
    public func allows(host: ByteView) -> Bool {
        guard !host.isEmpty else { return true }
        return self.allowsName(Self.name(host.text))
    }

    /// Whether pages of `origin` may change something at a port that is called `host`: pages of the port itself, and
    /// pages of a listed name, as a proxy may replace `Host`.
    public func allows(origin: ByteView, toHost host: ByteView) -> Bool {
        let text = origin.text.lowercased()
        guard let mark = text.firstRange(of: "://") else { return false }
        let authority = text[mark.upperBound...]
        return authority == host.text.lowercased() || self.names.contains(Self.name(String(authority)))
    }

    private func allowsName(_ name: String) -> Bool {
        if name == "localhost" || self.names.contains(name) { return true }
        return Array(name.utf8).withUnsafeBytes { IPAddress(ByteView($0)) != nil }
    }

    /// Without its port and without brackets, in lower case.
    private static func name(_ host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("["), let close = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<close])
        }
        return String(host.prefix { $0 != ":" })
    }
}
