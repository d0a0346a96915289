/// The language of messages.
public enum Language: Sendable {
    case korean, english

    /// The better liked of the two in an `Accept-Language` header; Korean where neither is named, or there is no header.
    /// Source: RFC 9110, section 12.5.4; a weight that is malformed counts as 1, as it only chooses words.
    public init(accepting header: ByteView?) {
        self = .korean
        guard let header, header.count > 0 else { return }
        var bestWeight = 0
        for range in header.text.split(separator: ",") {
            let parts = range.split(separator: ";")
            guard let tag = parts.first.map({ Self.trim($0).lowercased() }) else { continue }
            let language: Language
            switch tag.prefix(while: { $0 != "-" }) {
            case "ko": language = .korean
            case "en": language = .english
            default: continue
            }
            let weight = parts.dropFirst().lazy.compactMap(Self.thousandths).first ?? 1_000
            if weight > bestWeight {
                bestWeight = weight
                self = language
            }
        }
    }

    /// `q=0.85` is 850; nil for any other parameter.
    private static func thousandths(_ parameter: Substring) -> Int? {
        let text = Self.trim(parameter)
        guard text.hasPrefix("q="), let weight = Double(text.dropFirst(2)), (0...1).contains(weight) else { return nil }
        return Int(weight * 1_000)
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
