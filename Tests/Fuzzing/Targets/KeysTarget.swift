import Wire

/// The file of token keys. A ring that is read is written as a text that gives the same ring; a refusal never repeats
/// the file's content, which may be a secret.
enum KeysTarget {
    /// Shorter words may stand in both by chance.
    private static let secretBytesMin = 12

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        let text = String(decoding: input, as: UTF8.self)
        let ring: TokenRing
        do throws(WireError) { ring = try TokenRing(text: text) } catch {
            let said = Array(error.reason.utf8)
            for word in text.utf8.split(whereSeparator: { $0 <= 0x20 }) where word.count >= Self.secretBytesMin {
                let starts = said.indices.dropLast(word.count - 1)
                let isSaid = starts.contains { said[$0...].starts(with: word) }
                try require(!isSaid, "a refusal repeats the file: \(error.reason)")
            }
            return
        }
        guard let again = try? TokenRing(text: ring.text) else {
            throw BrokenProperty("a ring was read, and what is written for it is not")
        }
        try require(again == ring && again.text == ring.text, "a ring is another after it was written and read")
    }
}
