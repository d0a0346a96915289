import FoundationEssentials
import Wire

/// JSON bodies. An accepted body is accepted by Foundation's decoder too, with the same values; no prefix of it is
/// accepted; white space around it changes nothing.
enum JSONTarget {
    /// The members of the contract, and one text.
    private struct Body: Decodable {
        var concertId: Int64?
        var seatIds: [Int64]?
        var text: String?

        private enum Key: String, CodingKey { case concertId, seatIds, text }

        /// A member of another type counts as missing, as its reader refuses it.
        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Key.self)
            self.concertId = try? members.decodeIfPresent(Int64.self, forKey: .concertId)
            self.seatIds = try? members.decodeIfPresent([Int64].self, forKey: .seatIds)
            self.text = try? members.decodeIfPresent(String.self, forKey: .text)
        }
    }

    private static let seatsMax = 100
    private static let textBytesMax = 64

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        let object: JSONObject
        do { object = try JSONObject(ByteView(input)) } catch {
            try require(error.offset ?? 0 <= input.count, "a mistake was noticed past the end of the body")
            return
        }

        // It ends with its own last brace.
        guard let last = input.lastIndex(where: { !Self.spaces.contains($0) }) else {
            throw BrokenProperty("a body of white space was taken")
        }
        let start = UnsafeRawBufferPointer(rebasing: input[..<last])
        try require((try? JSONObject(ByteView(start))) == nil, "a body without its last brace was taken")

        let body: Body
        do { body = try JSONDecoder().decode(Body.self, from: Data(input)) } catch {
            throw BrokenProperty("a body was taken that Foundation refuses: \(error)")
        }
        if let concert = try? object.integerIfPresent("concertId") {
            try require(body.concertId == concert, "a number is another than Foundation's: \(concert)")
        }
        if let seats = try? object.integers("seatIds", countMax: self.seatsMax) {
            try require(body.seatIds == Array(seats), "a list is another than Foundation's: \(Array(seats))")
        }
        if let text = try? object.stringIfPresent("text", bytesMax: self.textBytesMax) {
            try require(
                body.text.map { Array($0.utf8) } == Array(text.utf8),
                "a text is another than Foundation's: \(text)"
            )
            try self.checkWriting(text)
        }
    }

    private static let spaces: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

    /// Usher's own output is read back unchanged.
    private static func checkWriting(_ text: String) throws(BrokenProperty) {
        var bytes = OutputBytes()
        bytes.openObject()
        bytes.member("text", text)
        bytes.closeObject()
        guard let again = try? JSONObject(bytes.view).string("text", bytesMax: self.textBytesMax),
            Array(again.utf8) == Array(text.utf8)
        else { throw BrokenProperty("a text is read otherwise than it was written: \(bytes.view.text)") }
    }
}
