import Booking
import Seeded
import Wire

/// Tokens that are none, made from one that is. All have different texts, so nothing could be remembered.
struct Forgery {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private let genuine: [UInt8]
    private var random: SeededRandom

    init(of genuine: [UInt8], seed: UInt64) {
        self.genuine = genuine
        self.random = SeededRandom(seed: seed)
    }

    /// Most are of the right length, version and key, so that only the signature tells: a bit, some characters, or the
    /// whole signature changed. One in ten is cut short, longer, or made up from nothing.
    mutating func next() -> [UInt8] {
        var token = self.genuine
        switch self.random.below(20) {
        case 0: token.removeLast(1 + self.random.below(8))
        case 1: token.append(Self.alphabet[self.random.below(64)])
        case 2: for at in token.indices { token[at] = Self.alphabet[self.random.below(64)] }
        case 3...7: for at in 46..<token.count { token[at] = Self.alphabet[self.random.below(64)] }
        case 8...13:
            for _ in 0...self.random.below(4) { token[self.place()] = Self.alphabet[self.random.below(64)] }
        default:
            // One bit of one character's six.
            let at = self.place()
            let value = Self.alphabet.firstIndex(of: token[at])! ^ 1 << self.random.below(6)
            token[at] = Self.alphabet[value]
        }
        return token == self.genuine ? self.next() : token
    }

    /// A character behind the version and the key's number, and before the last, whose low bits are no one's.
    private mutating func place() -> Int { 3 + self.random.below(self.genuine.count - 4) }
}
