/// The language of messages.
public enum Language: Sendable {
    case korean, english

    /// Bytes of an `Accept-Language` that are read: ten times what browsers send. The language of each request is read
    /// before any limit, so it must cost next to nothing however long the header is.
    static let bytesMax = 512

    /// The preferred one of the two languages in an `Accept-Language` header; Korean if neither is named, or without
    /// the header. Source: RFC 9110, section 12.5.4; a malformed weight counts as 1, as it only chooses words. Ranges
    /// that do not end within the first `bytesMax` bytes are not read. Allocates nothing.
    public init(accepting header: ByteView?) {
        self = .korean
        guard let header else { return }
        let end = min(header.count, Self.bytesMax)
        var bestWeight = 0
        var start = 0
        while start < end {
            let comma = header.firstIndex(of: UInt8(ascii: ","), from: start, to: end)
            guard comma != nil || end == header.count else { return }
            let range = header.part(start, comma ?? end)
            start = (comma ?? end) + 1
            let tagEnd = range.firstIndex(of: UInt8(ascii: ";")) ?? range.count
            guard let language = Self(tag: range.part(0, tagEnd).trimmed()) else { continue }
            let weight = Self.weight(in: range.part(min(tagEnd + 1, range.count), range.count))
            if weight > bestWeight {
                bestWeight = weight
                self = language
            }
        }
    }

    /// By the first part of a language tag; nil for any other language.
    private init?(tag: ByteView) {
        let primary = tag.part(0, tag.firstIndex(of: UInt8(ascii: "-")) ?? tag.count)
        if primary.isEqualIgnoringCase("ko") {
            self = .korean
        } else if primary.isEqualIgnoringCase("en") {
            self = .english
        } else {
            return nil
        }
    }

    /// In thousandths: the first parameter that is a weight, or 1,000.
    private static func weight(in parameters: ByteView) -> Int {
        var start = 0
        while start < parameters.count {
            let end = parameters.firstIndex(of: UInt8(ascii: ";"), from: start) ?? parameters.count
            if let weight = self.thousandths(parameters.part(start, end).trimmed()) { return weight }
            start = end + 1
        }
        return 1_000
    }

    /// `q=0.85` is 850; nil for any other parameter, and for a weight above 1.
    private static func thousandths(_ parameter: ByteView) -> Int? {
        guard parameter.count >= 3, parameter.byte(0) | 0x20 == UInt8(ascii: "q"),
            parameter.byte(1) == UInt8(ascii: "=")
        else { return nil }
        let whole = parameter.byte(2) &- UInt8(ascii: "0")
        guard whole <= 1, parameter.count == 3 || parameter.byte(3) == UInt8(ascii: ".") else { return nil }
        var weight = Int(whole) * 1_000
        var place = 100
        for at in 4..<max(4, parameter.count) {
            let digit = parameter.byte(at) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            weight += Int(digit) * place
            place /= 10
        }
        return weight <= 1_000 ? weight : nil
    }
}
