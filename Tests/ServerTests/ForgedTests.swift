import Booking
import Foundation
import Glibc
import Testing
import Wire

@testable import Configuration

/// Things that are forged, borrowed or used again, against a real cluster: none of them gets anything. The table in
/// Sources/Wire/Tokens/README.md names each and its test.
@Suite(.cluster("--shards", "4")) struct ForgedTests {
    /// One thing that somebody tries, and the refusal that all of its tries get.
    struct Attack: Sendable, CustomTestStringConvertible {
        let name: String
        let status: Int
        let code: String
        let tries: @Sendable (Scene) throws -> [Answer]

        var testDescription: String { self.name }

        init(_ name: String, _ status: Int, _ code: String, _ tries: @escaping @Sendable (Scene) throws -> [Answer]) {
            self.name = name
            self.status = status
            self.code = code
            self.tries = tries
        }
    }

    /// Somebody inside, who holds a seat, and somebody else inside who wants it.
    struct Scene {
        static let concert = 1
        let client: BookingClient
        let schedule: Int
        let (owner, thief): (Int, Int)
        let (ownerToken, thiefToken): (String, String)
        let held: [Int64]

        /// Each attack has a schedule and people of its own.
        init(_ number: Int) throws {
            self.client = try BookingClient.keeping(port: ServedCluster.shared.port)
            self.schedule = number + 1
            (self.owner, self.thief) = (10_000 + number * 2, 10_001 + number * 2)
            self.ownerToken = try self.client.enter(Self.concert, self.owner)
            self.thiefToken = try self.client.enter(Self.concert, self.thief)
            _ = try self.client.charge(self.thief, 1_000_000)
            _ = try self.client.charge(self.owner, 1_000_000)
            let reserved = try self.client.reserve(Self.concert, self.schedule, [1, 2], self.ownerToken)
            self.held = try reserved.json.list.map { try #require($0["reservationId"].whole) }
        }

        func poll(_ token: String) throws -> Answer { try self.client.poll(Self.concert, token) }

        func reserve(_ token: String) throws -> Answer {
            try self.client.reserve(Self.concert, self.schedule, [3], token)
        }

        func pay(_ token: String) throws -> Answer { try self.client.pay(Self.concert, self.held, token) }

        /// The owner has what they had.
        func checkOwner() throws {
            let list = try self.client.reservations(Self.concert, self.owner).json.list
            #expect(list.map { $0["reservationStatus"] } == ["SUSPEND", "SUSPEND"])
            for user in [self.owner, self.thief] { #expect(try self.client.balance(user).json["balance"] == 1_000_000) }
            #expect(try self.poll(self.ownerToken).status == 200)
        }
    }

    /// Every token that differs from `token` in one character, which is the next one of the alphabet.
    private static func altered(_ token: String) -> [String] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return token.indices.map { at in
            let next = alphabet[(alphabet.firstIndex(of: token[at])! + 1) % 64]
            return String(token[..<at]) + String(next) + String(token[token.index(after: at)...])
        }
    }

    /// `token` with a number in it changed: 2 the concert, 10 the user, 18 the place, 26 the time.
    private static func rewritten(_ token: String, at offset: Int, by step: UInt8) -> String {
        var bytes = Data(
            base64Encoded: token.replacing("-", with: "+").replacing("_", with: "/") + "="
        )!
        bytes[offset] &+= step
        return bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static let attacks = [
        Attack("a token with one character changed, asked with", 400, "TOKEN_NOT_FOUND") { scene in
            try Self.altered(scene.ownerToken).map { try scene.poll($0) }
        },
        Attack("a token with one character changed, paid with", 401, "TOKEN_INVALID") { scene in
            try Self.altered(scene.ownerToken).map { try scene.pay($0) }
        },
        Attack("a token cut short or made longer", 401, "TOKEN_INVALID") { scene in
            try (1..<scene.ownerToken.count).map { try scene.reserve(String(scene.ownerToken.prefix($0))) }
                + ["A", "=", "==", "%00", scene.ownerToken].map { try scene.reserve(scene.ownerToken + $0) }
        },
        Attack("a token rewritten for another user, concert, place or time", 401, "TOKEN_INVALID") { scene in
            try [2, 10, 18, 26].map { try scene.pay(Self.rewritten(scene.thiefToken, at: $0, by: 1)) }
                + [try scene.pay(Self.rewritten(scene.thiefToken, at: 10, by: UInt8(truncatingIfNeeded: scene.owner)))]
        },
        Attack("a token made with another secret", 401, "TOKEN_INVALID") { scene in
            let key = try TokenKey(
                id: 1,
                secret: [UInt8](repeating: 7, count: 32),
                activeFrom: Timestamp(seconds: 1)
            )
            let pass = Pass(
                concert: ConcertID(1),
                user: UserID(UInt64(scene.owner)),
                place: Place(1),
                issuedAt: Timestamp(seconds: 1_800_000_000)
            )
            let forged = try TokenRing([key]).sign(pass)
            return [try scene.reserve(forged), try scene.pay(forged)]
        },
        Attack("a token of another concert", 401, "TOKEN_INVALID") { scene in
            let token = try scene.client.enter(2, scene.thief)
            return [try scene.reserve(token), try scene.pay(token)]
        },
        Attack("a token after leaving, asked with", 400, "TOKEN_NOT_FOUND") { scene in
            _ = try scene.client.leave(Scene.concert, scene.thiefToken)
            let anew = try scene.client.enter(Scene.concert, scene.thief)
            #expect(anew != scene.thiefToken)
            return [
                try scene.poll(scene.thiefToken), try scene.client.leave(Scene.concert, scene.thiefToken),
            ]
        },
        Attack("a token after leaving, reserved with", 401, "TOKEN_INVALID") { scene in
            _ = try scene.client.leave(Scene.concert, scene.thiefToken)
            return [try scene.reserve(scene.thiefToken), try scene.pay(scene.thiefToken)]
        },
        Attack("another's reservation paid", 400, "RESERVATION_NOT_FOUND") { scene in
            [try scene.pay(scene.thiefToken)]
        },
        Attack("another's reservation given back", 400, "RESERVATION_NOT_FOUND") { scene in
            [try scene.client.release(Scene.concert, scene.held, scene.thiefToken)]
        },
        Attack("another's reservation cancelled", 400, "RESERVATION_NOT_FOUND") { scene in
            [try scene.client.cancel(Scene.concert, scene.thief, scene.held)]
        },
    ]

    @Test(arguments: Array(Self.attacks.enumerated().map { Numbered(number: $0.offset, attack: $0.element) }))
    func `nothing comes of it`(numbered: Numbered) throws {
        let scene = try Scene(numbered.number)
        let answers = try numbered.attack.tries(scene)
        #expect(!answers.isEmpty)
        for answer in answers {
            #expect(answer.status == numbered.attack.status && answer.code == numbered.attack.code, "\(answer)")
            if answer.status == 401 { #expect(answer["WWW-Authenticate"] == "ConcertToken") }
        }
        try scene.checkOwner()
    }

    struct Numbered: Sendable, CustomTestStringConvertible {
        let number: Int
        let attack: Attack
        var testDescription: String { self.attack.name }
    }

    @Test func `a token after its use buys nothing more`() throws {
        let scene = try Scene(90)
        #expect(try scene.pay(scene.ownerToken).status == 200)
        #expect(try scene.poll(scene.ownerToken).code == "TOKEN_NOT_FOUND")
        #expect(try scene.reserve(scene.ownerToken).code == "TOKEN_INVALID")
        #expect(try scene.client.leave(Scene.concert, scene.ownerToken).code == "TOKEN_NOT_FOUND")
        let others = try scene.client.reserve(Scene.concert, scene.schedule, [5], scene.thiefToken)
        let ids = try others.json.list.map { try #require($0["reservationId"].whole) }
        #expect(try scene.client.pay(Scene.concert, ids, scene.ownerToken).code == "TOKEN_INVALID")
        // The payment itself, sent again, is told again and takes nothing.
        let balance = try scene.client.balance(scene.owner).json["balance"]
        #expect(try scene.pay(scene.ownerToken).status == 200)
        #expect(try scene.client.balance(scene.owner).json["balance"] == balance)
    }

    @Test func `another user's key is not theirs`() throws {
        let client = ServedCluster.shared.client
        func charge(_ user: Int) throws -> Answer {
            let target = "/api/v1/point/charge?userId=\(user)&amount=500"
            return try client.call("POST", target, ["Idempotency-Key: stolen"])
        }
        #expect(try charge(20_001).json["userId"] == 20_001)
        let other = try charge(20_002)
        #expect(other.json["userId"] == 20_002 && other.json["balance"] == 500)
        #expect(try client.balance(20_001).json["balance"] == 500)
    }

    @Test func `the token of a deleted key is none, and its owner's place is kept`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        let joined = try client.join(1, 1)
        let token = try #require(joined.json["tokenId"].string)
        // The new key is active from before the place was given, so that nobody has to wait for it.
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let ring = try TokenRing([TokenKey(id: 2, secret: secret, activeFrom: Timestamp(seconds: 1))])
        try TextFile.write(Array(ring.text.utf8), to: cluster.state.keyFile)
        try TestCluster.eventually("the key is gone") { try client.poll(1, token).code == "TOKEN_NOT_FOUND" }
        #expect(try client.reserve(1, 1, [1], token).code == "TOKEN_INVALID")
        #expect(try client.leave(1, token).code == "TOKEN_NOT_FOUND")
        let again = try client.join(1, 1)
        #expect(again.json["place"] == joined.json["place"] && again.json["tokenId"] != joined.json["tokenId"])
    }
}
