import Booking
import Seeded
import Testing
import Wire

@Suite struct TokenRingTests {
    private static let start = Timestamp(seconds: 1_767_193_200)
    private static let pass = FrameSamples.pass
    /// Of `pass`, by key 1. Made by another program (Python's hmac).
    private static let golden = "AQEHAAAAAAAAACoAAAAAAAAA6QMAAAAAAAAVLdg-2lSGGKJLdSyWEaSw199u8vHTvC8"
    private static let later = Pass(
        concert: pass.concert,
        user: pass.user,
        place: pass.place,
        issuedAt: start + .seconds(60)
    )
    /// Of `later`, by key 2, active from that moment on.
    private static let goldenLater = "AQIHAAAAAAAAACoAAAAAAAAA6QMAAAAAAAAAuMMv6FSGGOibT9Sqkxr0lpgpLxxQzO8"

    private let first: TokenKey
    private let second: TokenKey
    private let ring: TokenRing

    init() throws {
        self.first = try TokenKey(id: 1, secret: [UInt8](0..<32), activeFrom: Self.start)
        self.second = try TokenKey(id: 2, secret: [UInt8](100..<132), activeFrom: Self.start + .seconds(60))
        self.ring = try TokenRing([self.first])
    }

    @Test func `a token has its golden characters`() throws {
        #expect(self.ring.sign(Self.pass) == Self.golden)
        #expect(self.ring.verify(Self.golden) == Self.pass)
        #expect(Self.golden.utf8.count == TokenRing.tokenCount)
    }

    @Test func `passes over the whole range come back`() {
        var random = SeededRandom(seed: 5)
        for step in 0..<2_000 {
            let pass = random.pass()
            #expect(self.ring.verify(self.ring.sign(pass)) == pass, "seed 5 step \(step)")
        }
    }

    @Test func `after the keys change, old passes keep their tokens and new passes get new ones`() throws {
        let rotated = try TokenRing([self.second, self.first])
        #expect(rotated.sign(Self.pass) == Self.golden)
        #expect(rotated.verify(Self.golden) == Self.pass)
        #expect(rotated.sign(Self.later) == Self.goldenLater)
        #expect(rotated.verify(Self.goldenLater) == Self.later)
        let justBefore = Pass(
            concert: Self.pass.concert,
            user: Self.pass.user,
            place: Self.pass.place,
            issuedAt: Timestamp(nanoseconds: Self.later.issuedAt.nanoseconds - 1)
        )
        #expect(rotated.sign(justBefore) == self.ring.sign(justBefore))
    }

    @Test func `a deleted key's tokens are unknown, and its people get new ones`() throws {
        let shrunk = try TokenRing([self.second])
        #expect(shrunk.verify(Self.golden) == nil)
        let anew = shrunk.sign(Self.pass)
        #expect(anew != Self.golden)
        #expect(shrunk.verify(anew) == Self.pass)
    }

    @Test func `an old key makes no passes for today`() throws {
        let byFirst = self.ring.sign(Self.later)
        #expect(self.ring.verify(byFirst) == Self.later)
        #expect(try TokenRing([self.first, self.second]).verify(byFirst) == nil)
    }

    @Test func `another secret under the same id is refused`() throws {
        let other = try TokenRing([TokenKey(id: 1, secret: [UInt8](1..<33), activeFrom: Self.start)])
        #expect(other.verify(Self.golden) == nil)
        #expect(self.ring.verify(other.sign(Self.pass)) == nil)
    }

    @Test func `every other character at every position is refused`() {
        let golden = Array(Self.golden.utf8)
        for position in golden.indices {
            for value in UInt8.min...UInt8.max where value != golden[position] {
                var altered = golden
                altered[position] = value
                #expect(altered.withUnsafeBytes { self.ring.verify($0) } == nil, "\(value) at \(position)")
            }
        }
    }

    @Test func `other lengths, padding and bits that no byte uses are refused`() {
        for text in [
            "", "A", String(Self.golden.dropLast()), Self.golden + "A", Self.golden + "=", " " + Self.golden,
            Self.golden.dropLast() + "9", Self.golden.dropLast() + "-", Self.golden.dropLast() + "_",
        ] {
            #expect(self.ring.verify(text) == nil, "\(text)")
        }
        #expect(self.ring.verify(UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
    }

    @Test func `of 100,000 random alterations none is accepted`() {
        var random = SeededRandom(seed: 77)
        var accepted = 0
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let golden = Array(Self.golden.utf8)
        for _ in 0..<100_000 {
            var altered = golden
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                altered[Int.random(in: altered.indices, using: &random)] = alphabet.randomElement(using: &random)!
            }
            guard altered != golden else { continue }
            if altered.withUnsafeBytes({ self.ring.verify($0) }) != nil { accepted += 1 }
        }
        #expect(accepted == 0, "seed 77")
    }

    @Test func `no keys, an id twice, and two keys of one second are refused`() throws {
        #expect(throws: WireError("a token ring needs at least one key")) { try TokenRing([]) }
        let sameID = try TokenKey(id: 1, secret: [UInt8](0..<32), activeFrom: Self.start + .seconds(9))
        #expect(throws: WireError("token key 1 is twice in the ring")) { try TokenRing([self.first, sameID]) }
        let sameTime = try TokenKey(id: 7, secret: [UInt8](0..<32), activeFrom: Self.start)
        #expect(throws: WireError.self) { try TokenRing([self.first, sameTime]) }
    }
}
