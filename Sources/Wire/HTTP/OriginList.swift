import Booking

/// Web origins, `scheme://host` or `scheme://host:port`, in the form that browsers send (RFC 6454, section 6.2; the URL
/// standard, "ASCII serialisation of an origin"): lower case, without the scheme's default port.
///
/// Each is compared exactly. A wildcard, and the `null` of pages without an origin, would admit unlisted pages, and are
/// refused.
public struct OriginList: Equatable, Sendable {
    /// Enough for a service that hosts many shops.
    public static let countMax = 1_000

    /// Why a list is refused: the part that is not an origin, and the rest of the sentence.
    public struct Mistake: Error, Equatable, Sendable {
        public let part: String
        public let problem: String
    }

    /// By length, then by bytes; each once.
    public let origins: [[UInt8]]

    public var isEmpty: Bool { self.origins.isEmpty }

    /// None.
    public init() { self.origins = [] }

    /// Reads origins separated by commas or spaces; an empty text is an empty list.
    public init(_ text: String) throws(Mistake) {
        var origins: Set<[UInt8]> = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            origins.insert(try Self.normal(String(part)))
            guard origins.count <= Self.countMax else {
                throw Mistake(part: String(part), problem: "which is one more than the \(Self.countMax) that fit")
            }
        }
        self.origins = origins.sorted { $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1) }
    }

    /// The position of an `Origin` header's value in `origins`; nil for an unlisted one. Some ten comparisons of a
    /// length for the longest list. No allocation.
    public func index(of origin: ByteView) -> Int? {
        var (low, high) = (0, self.origins.count)
        while low < high {
            let middle = (low + high) / 2
            let order = Self.order(self.origins[middle], origin)
            if order == 0 { return middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Below 0, 0 or above 0, as `left` sorts before, equal to or after `right`.
    private static func order(_ left: [UInt8], _ right: ByteView) -> Int {
        guard left.count == right.count else { return left.count - right.count }
        for at in left.indices where left[at] != right.byte(at) { return Int(left[at]) - Int(right.byte(at)) }
        return 0
    }

    // MARK: Reading

    private static let ownPorts = ["http": 80, "https": 443]

    private static func normal(_ part: String) throws(Mistake) -> [UInt8] {
        func refuse(_ problem: String) -> Mistake { Mistake(part: part, problem: problem) }
        guard !part.contains("*") else { throw refuse("which has a wildcard: each origin has to be listed") }
        guard part.lowercased() != "null" else { throw refuse("which is what pages without an origin send") }
        guard part.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw refuse("which is not ASCII: write the host as browsers send it (xn--...)")
        }
        let text = part.lowercased()
        guard let mark = text.firstRange(of: "://"), self.isScheme(text[..<mark.lowerBound]) else {
            throw refuse("which does not begin with a scheme such as https://")
        }
        let scheme = String(text[..<mark.lowerBound])
        let authority = text[mark.upperBound...]
        if authority.hasSuffix("/") && authority.count(where: { $0 == "/" }) == 1 {
            throw refuse("which ends with a slash: an origin has none")
        }
        if authority.contains("/") { throw refuse("which has a path: an origin has none") }
        if authority.contains("?") || authority.contains("#") { throw refuse("which has a query: an origin has none") }
        if authority.contains("@") { throw refuse("which names a user: an origin has none") }

        let hostEnd = self.hostEnd(authority)
        let host = authority[..<hostEnd]
        guard self.isHost(host) else { throw refuse("whose host is neither a name nor an address") }
        guard hostEnd < authority.endIndex else { return Array(text.utf8) }
        let digits = authority[authority.index(after: hostEnd)...]
        guard authority[hostEnd] == ":", let port = self.port(digits) else {
            throw refuse("whose port is not a number from 1 to 65535")
        }
        let isOwn = self.ownPorts[scheme] == port
        return Array((isOwn ? "\(scheme)://\(host)" : text).utf8)
    }

    /// RFC 3986, section 3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
        }
    }

    private static func hostEnd(_ authority: Substring) -> Substring.Index {
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") { return authority.index(after: close) }
        return authority.firstIndex(of: ":") ?? authority.endIndex
    }

    /// The text is in lower case.
    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("[") {
            return Array(host.utf8.dropFirst().dropLast()).withUnsafeBytes { IPAddress.ipv6(ByteView($0)) != nil }
        }
        return HostNameList.isName(host)
    }

    private static func port(_ digits: Substring) -> Int? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            !digits.hasPrefix("0"), let port = Int(digits), port <= 65_535
        else { return nil }
        return port
    }
}
