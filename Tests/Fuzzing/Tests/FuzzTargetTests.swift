import FoundationEssentials
import Seeded
import Testing

/// The same functions that libFuzzer calls, on the files of the corpus and on a few thousand changes of them.
@Suite struct FuzzTargetTests {
    /// Seeds, and earlier findings: `Corpus/<target>/<name>`.
    private static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        var folder = URL(filePath: #filePath)
        folder.deleteLastPathComponent()
        folder.deleteLastPathComponent()
        folder.append(components: "Corpus", target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(component: name))))
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `each file of the corpus keeps its promises`(target: FuzzTarget) throws {
        let corpus = try Self.corpus(target)
        #expect(!corpus.isEmpty)
        for (name, bytes) in corpus {
            let broken = Self.broken(target, bytes)
            #expect(broken == nil, "\(target) \(name)")
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `changes of the corpus keep them, too`(target: FuzzTarget) throws {
        let corpus = try Self.corpus(target).map(\.bytes)
        for round in 0..<target.testedRounds {
            var random = SeededRandom(seed: UInt64(round))
            let bytes = Self.change(random.pick(corpus), beside: random.pick(corpus), &random)
            let broken = Self.broken(target, bytes)
            #expect(broken == nil, "\(target), seed \(round): \(bytes)")
        }
    }

    @Test func `no input at all is an input`() {
        for target in FuzzTarget.allCases { #expect(Self.broken(target, []) == nil, "\(target)") }
    }

    private static func broken(_ target: FuzzTarget, _ bytes: [UInt8]) -> BrokenProperty? {
        bytes.withUnsafeBytes { bytes in
            do throws(BrokenProperty) {
                try target.check(bytes)
                return nil
            } catch { return error }
        }
    }

    /// One to four mutations, of the kinds that libFuzzer makes.
    private static func change(_ seed: [UInt8], beside other: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let at = bytes.indices.randomElement(using: &random)!
            let count = Int.random(in: 1...16, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[at] = random.pick([0, 0xFF, 0x7F, 0x80, 0x0D, 0x0A, 0x20])
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + count))
            case 4: bytes.insert(contentsOf: bytes[at...].prefix(count), at: at)
            case 5: bytes.removeSubrange(at...)
            default:
                let from = other.indices.randomElement(using: &random) ?? 0
                bytes.insert(contentsOf: other[min(from, other.count)...].prefix(count * 4), at: at)
            }
        }
        return bytes
    }
}

extension FuzzTarget {
    /// As many as run in about a second in a debug build.
    fileprivate var testedRounds: Int {
        switch self {
        case .http, .json, .frames, .facts, .snapshot, .keys, .addresses, .forwarded: 3_000
        case .calls, .tokens, .catalogue, .logins: 1_000
        case .export, .settings: 300
        }
    }
}
