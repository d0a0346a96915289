import Booking
import Wire

/// Tokens: only tokens signed here are accepted, and only as their own pass.
///
///     │ text ... │                                      checked unchanged, when the first byte is no digit 0...3
///     │ '0'...'3' │ pass 32 │ place, byte, ... │        signed by one of two rings, then changed at these places
enum TokensTarget {
    private static let passBytes = 32

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        try self.checkText(input)
        guard input.count > self.passBytes, (0x30...0x33).contains(input[0]), let pass = self.pass(input) else {
            return
        }
        let isOurs = input[0] & 1 == 0
        let genuine = Array((isOurs ? Stage.ring : Stage.otherRing).sign(pass).utf8)
        var text = genuine
        for at in stride(from: 1 + self.passBytes, to: input.count - 1, by: 2) {
            text[Int(input[at]) % text.count] ^= input[at + 1]
        }
        let verified = text.withUnsafeBytes { Stage.ring.verify($0) }
        if isOurs && text == genuine {
            try require(verified == pass, "a token of \(pass) is taken for \(String(describing: verified))")
        } else {
            try require(verified == nil, "a token was taken that was not signed here: \(text)")
        }
        try text.span.bytes.withUnsafeBytes { (text) throws(BrokenProperty) in try self.checkText(text) }
    }

    /// An accepted token equals the signature of its pass, to the last character.
    private static func checkText(_ text: UnsafeRawBufferPointer) throws(BrokenProperty) {
        guard let pass = Stage.ring.verify(text) else { return }
        try require(Array(Stage.ring.sign(pass).utf8).elementsEqual(text), "a token was taken that is not \(pass)'s")
        try require(Stage.otherRing.verify(text) == nil, "a token is taken by a ring that never signed it")
    }

    private static func pass(_ input: UnsafeRawBufferPointer) -> Pass? {
        var reader = FrameReader(UnsafeRawBufferPointer(rebasing: input[1...self.passBytes]))
        guard let concert = try? reader.readUInt64(), let user = try? reader.readUInt64(),
            let place = try? reader.readUInt64(), let issuedAt = try? reader.readInt64()
        else { return nil }
        let range = 1...IdentifierLimits.max
        guard range.contains(concert), range.contains(user), range.contains(place) else { return nil }
        return Pass(
            concert: ConcertID(concert),
            user: UserID(user),
            place: Place(place),
            issuedAt: Timestamp(nanoseconds: issuedAt)
        )
    }
}
