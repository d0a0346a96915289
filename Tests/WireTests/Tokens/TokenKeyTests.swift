import Booking
import Testing
import Wire

@Suite struct TokenKeyTests {
    private let secret = [UInt8](0..<32)

    @Test func `it never prints its secret`() throws {
        let key = try TokenKey(id: 3, secret: self.secret, activeFrom: Timestamp(seconds: 5))
        var dumped = ""
        dump(key, to: &dumped)
        dump(try TokenRing([key]), to: &dumped)
        let shown = "\(key) \(String(reflecting: key)) \(dumped) \(try TokenRing([key]))"
        #expect(shown.contains("token key 3, active from 5"))
        for trace in ["AAECAw", "00010203", "0, 1, 2", "secret", "Symmetric", "HMAC"] {
            #expect(!shown.contains(trace), "\(trace)")
        }
    }

    @Test func `it keeps whole seconds`() throws {
        let moment = Timestamp(seconds: 5) + .milliseconds(999)
        #expect(try TokenKey(id: 3, secret: self.secret, activeFrom: moment).activeFrom == Timestamp(seconds: 5))
    }

    @Test func `a secret of another length and a time before 1970 are refused`() {
        for count in [0, 31, 33] {
            #expect(throws: WireError("the secret of token key 3 has \(count) bytes, not 32")) {
                try TokenKey(id: 3, secret: [UInt8](repeating: 1, count: count), activeFrom: Timestamp(seconds: 5))
            }
        }
        #expect(throws: WireError("token key 3 is active from before 1970")) {
            try TokenKey(id: 3, secret: self.secret, activeFrom: Timestamp(nanoseconds: -1))
        }
    }

    @Test func `keys are equal by all that they are`() throws {
        let key = try TokenKey(id: 3, secret: self.secret, activeFrom: Timestamp(seconds: 5))
        #expect(try key == TokenKey(id: 3, secret: self.secret, activeFrom: Timestamp(seconds: 5)))
        #expect(try key != TokenKey(id: 4, secret: self.secret, activeFrom: Timestamp(seconds: 5)))
        #expect(try key != TokenKey(id: 3, secret: self.secret.reversed(), activeFrom: Timestamp(seconds: 5)))
        #expect(try key != TokenKey(id: 3, secret: self.secret, activeFrom: Timestamp(seconds: 6)))
    }
}
